"""What a worker process is given of this machine."""

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
