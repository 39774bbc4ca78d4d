"""What a worker process is given of this machine."""

import subprocess

import pytest

from kerasfaces.tune import local_workers

pytestmark = pytest.mark.tf


@pytest.mark.parametrize(
    ("allowed", "n_gpus", "given"),
    [
        (None, 2, ["0", "1", "0"]),
        ("5,3", 2, ["5", "3", "5"]),  # the others belong to somebody else
        (None, 0, [None, None, None]),
    ],
)
def test_gpus_are_shared_out_among_those_allowed(
    allowed, n_gpus, given, monkeypatch, tmp_path
):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if allowed:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed)
    monkeypatch.setattr(local_workers, "n_gpus", lambda: n_gpus)
    workers = local_workers.LocalWorkers([], 3, tmp_path)
    made = [workers._environment("w", number) for number in range(3)]
    assert [one.get("CUDA_VISIBLE_DEVICES") for one in made] == given
    assert all(one["OMP_NUM_THREADS"] >= "1" for one in made)


def test_who_replaces_a_killed_worker_gets_its_gpu(monkeypatch, tmp_path):
    given, start = [], subprocess.Popen

    def sleeping(command, env, **rest):
        given.append(env["CUDA_VISIBLE_DEVICES"])
        return start(["sleep", "60"], **rest)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(local_workers, "n_gpus", lambda: 2)
    monkeypatch.setattr(local_workers, "_STOP_S", 0.0)
    monkeypatch.setattr(subprocess, "Popen", sleeping)
    workers = local_workers.LocalWorkers([], 2, tmp_path)
    workers.start("localhost:1")
    try:
        for name in ("worker-2", "worker-3"):
            workers._running[name].kill()
            workers._running[name].wait()
            assert workers.dead() == [name]
            workers.replace_dead()
    finally:
        workers.stop()
    assert given == ["0", "1", "1", "1"]
