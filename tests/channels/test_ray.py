"""Engine `ray`: the same bytes as `local`, also when half of the cluster dies."""

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from kerasfaces import images
from kerasfaces.channels import cluster, decoding, ray_engine, run
from kerasfaces.channels.worker import CHANGED, Decoded, Item
from kerasfaces.core import workers
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.images import InputSpec

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed"
)

SCRIPT = """
import os
import sys
from pathlib import Path

from kerasfaces.channels import config, run


def main(root):
    from ray.cluster_utils import Cluster

    files = sorted((root / "images").iterdir())
    wanted = config.make(["rgb"], "none", ["size_px=32"])
    run.CHUNK = 4
    run.build(files, root / "local", wanted)
    quick = dict.fromkeys(
        ("health_check_period_ms", "health_check_timeout_ms"), 300
    ) | {"health_check_initial_delay_ms": 0, "health_check_failure_threshold": 2}
    memory = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    ours = Cluster(
        initialize_head=True,
        head_node_args={**memory, "include_dashboard": False, "_system_config": quick},
    )
    second = ours.add_node(**memory)
    os.environ["RAY_ADDRESS"] = ours.address
    commit, done = run.commit, []

    def commit_and_kill(*arguments):
        commit(*arguments)
        done.append(1)
        if len(done) == 3:
            ours.remove_node(second, allow_graceful=False)

    run.commit = commit_and_kill
    print(run.build(files, root / "ray", wanted, engine="ray").n_ok)
    ours.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
"""


def contents(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name != ".lock"
    }


@needs_ray
@pytest.mark.slow
def test_a_lost_node_changes_no_byte(tmp_path, draw):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(64):
        draw(number, 600).save(folder / f"{number:02d}.png")
    (folder / "07.png").write_bytes(b"no image")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["63"]  # nothing of Ray's on stdout
    assert "workers were lost" in done.stderr
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
    assert len(contents(tmp_path / "ray")) == 3 + 16


@needs_ray
def test_no_cluster_at_the_address(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "no port")
    with pytest.raises(
        InputError, match=r"Ray at no port cannot be used .*RAY_ADDRESS"
    ):
        next(iter(ray_engine.results(None, [])))


@pytest.fixture
def draw():
    import numpy as np
    from PIL import Image

    def one(number, size_px):
        noise = np.random.default_rng(number).integers(0, 255, (size_px, size_px, 3))
        return Image.fromarray(noise.astype(np.uint8))

    return one


def node(alive=True, **resources):
    return {"Alive": alive, "Resources": resources}


def test_pool_of_cores():
    nodes = [node(CPU=16.0), node(CPU=40.0), node(CPU=64.0, alive=False), node(CPU=0.0)]
    assert cluster.pool(nodes) == (2 + 5, {"num_cpus": 8})
    assert cluster.pool([node(CPU=2.0), node(CPU=5.0)]) == (1 + 2, {"num_cpus": 2})


def test_pool_of_gpus():
    nodes = [node(CPU=16.0, GPU=4.0), node(CPU=64.0), node(CPU=2.0, GPU=1.0)]
    assert cluster.pool(nodes) == (5, {"num_gpus": 1, "num_cpus": 2})


def test_pool_of_nothing():
    with pytest.raises(RunError, match=r"no node with a free core \(0 alive nodes\)"):
        cluster.pool([node(CPU=4.0, alive=False)])


def test_actors_on_one_machine_have_cores_of_their_own(run_python):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core")
    code = (
        "import os; from kerasfaces.channels import cluster;"
        "all = sorted(os.sched_getaffinity(0)); cluster.use_cores({}, 1);"
        "print(all.index(*os.sched_getaffinity(0)))"
    )
    assert [run_python(code.format(seat)).strip() for seat in (0, 1)] == ["0", "1"]
    beyond = code.format(10**6).replace("all.index(*os.sched_getaffinity(0))", "all")
    assert len(eval(run_python(beyond))) > 1


def test_files_sends_bytes_and_reasons(tmp_path):
    good, changed = tmp_path / "good.png", tmp_path / "changed.png"
    good.write_bytes(b"abc")
    changed.write_bytes(b"other")
    items = [
        Item(images.sha256(b"abc"), good),
        Item(images.sha256(b"abc"), changed),
        Item("0" * 64, tmp_path / "missing.png"),
    ]
    files = ray_engine.Files([run.Chunk(0, ()), run.Chunk(3, tuple(items))])
    sent = files.read(1)
    assert sent[0] == Item(items[0].sha256, b"abc")
    assert [one.reason for one in sent[1:]] == [CHANGED, "file not found"]
    assert all(one.transient for one in sent[1:])
    assert [files.seat(host) for host in ("a", "b", "a")] == [0, 0, 1]


def die(item, spec):
    if item.sha256 == "bad":
        os._exit(1)
    return Decoded(item.sha256, None, "fine")


def test_a_crashing_decoder_costs_one_image(monkeypatch):
    monkeypatch.setattr(decoding, "decode", die)
    decoders = decoding.Decoders(InputSpec())
    unread = Decoded("c", None, "file not found", transient=True)
    items = [Item("a", b""), Item("bad", b""), unread, Item("d", b"")]
    found = decoders(items)
    decoders.close()
    reasons = ["fine", workers.CRASHED, "file not found", "fine"]
    assert [one.reason for one in found] == reasons


@needs_ray
def test_what_counts_as_a_loss():
    from ray import exceptions

    wrapped = ValueError("wrapped")
    wrapped.__cause__ = exceptions.ActorDiedError()
    assert cluster.is_loss(wrapped)
    assert not cluster.is_loss(ValueError("a defect"))


def test_repeated_losses_end_in_a_sentence(caplog):
    chunks = [run.Chunk(0, (Item("5" * 64, Path("a.png")),))]
    ray_engine._go_on(ValueError("gone"), 1, chunks)
    assert "1 chunks left" in caplog.text
    with pytest.raises(RunError, match=r"died 3 times in a row .*image 555555555555"):
        ray_engine._go_on(ValueError("gone"), 3, chunks)


class FakeRay:
    """A cluster of one node whose tasks answer what they are told to."""

    def __init__(self, answer):
        from types import SimpleNamespace as Space

        self.answer = answer
        strategy = Space(NodeAffinitySchedulingStrategy=lambda *a, **k: None)
        self.util = Space(scheduling_strategies=strategy)

    def nodes(self):
        return [{"Alive": True, "NodeID": "1", "NodeManagerHostname": "host-1"}]

    def remote(self, function):
        self.travels = function
        return self

    def options(self, **_):
        return self

    def get(self, _):
        return [self.answer]


def test_a_node_without_the_package():
    ray = FakeRay("no kerasfaces: No module named 'kerasfaces'")
    ray.remote = lambda function: _Task()
    with pytest.raises(
        InputError, match=r"Ray node host-1 has no kerasfaces: .*install"
    ):
        cluster.require_package(ray)


class _Task:
    def options(self, **_):
        return self

    def remote(self):
        return None


@needs_ray
def test_the_check_travels_without_the_package(tmp_path):
    """Pickled here, it runs where `import kerasfaces` fails, and says so."""
    from ray import cloudpickle

    ray = FakeRay("0")
    sent = []
    ray.remote = lambda function: (sent.append(cloudpickle.dumps(function)), _Task())[1]
    with pytest.raises(InputError, match="has 0, expected kerasfaces"):
        cluster.require_package(ray)
    code = (
        "import pickle, sys; sys.modules['kerasfaces'] = None;"
        f"print(pickle.loads({sent[0]!r})())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("no kerasfaces: ")


def test_an_actor_reports_what_a_user_can_mend():
    actor = ray_engine.Actor(None, {}, None)

    def fail():
        raise InputError("no such file.")

    actor._start = fail
    found = pickle.loads(actor({"position": [0]})["results"][0])
    assert isinstance(found, InputError)
    assert str(found).startswith("Ray node ")
    assert str(found).endswith(": no such file.")
