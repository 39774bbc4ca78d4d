"""Actors of a Ray cluster: how many, where, and what is said when they are lost."""

import importlib.util
import os
import subprocess
import sys

import pytest

from kerasfaces.core import engine
from kerasfaces.core.engine import Engine, cluster, ray_nodes
from kerasfaces.core.errors import InputError, RunError

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed"
)

SCRIPT = """
import sys
from pathlib import Path

import engine_tasks as tasks
from two_nodes import TwoNodes

from kerasfaces.core import engine
from kerasfaces.core.errors import InputError

nodes = TwoNodes()


def show(*values):
    print(*values)


with engine.pool(tasks.pid, nodes.engine) as pool:
    show("workers", pool.n_workers)
outcomes = engine.map(tasks.die_of_7, range(20), spread=nodes.engine, chunk=4)
show("deaths", [o.key for o in outcomes if o.error])
try:
    list(engine.map(tasks.mistake, [3], spread=nodes.engine))
except InputError as error:
    show("mistake", str(error).startswith("Ray node "), str(error).endswith(": item 3 is wrong."))
numbers = []
for outcome in engine.map(tasks.slowly_double, range(40), spread=nodes.engine):
    numbers.append(outcome.value)
    if outcome.key == 5:
        nodes.lose_one()
show("numbers", numbers == [2 * n for n in range(40)])
threads = engine.map(tasks.threads, range(4), spread=nodes.engine)
show("threads", set(one.value for one in threads))
nodes.shutdown()
"""


@needs_ray
@pytest.mark.slow
def test_two_nodes_of_which_one_is_lost(run_on_two_nodes):
    done = run_on_two_nodes(SCRIPT)
    assert done.stdout.splitlines() == [  # nothing of Ray's
        "workers 2",
        "deaths [7]",
        "mistake True True",
        "numbers True",
        "threads {'1'}",
    ]
    assert "a worker died" in done.stderr


@needs_ray
def test_no_cluster_at_the_address():
    with pytest.raises(
        InputError, match=r"Ray at no port cannot be used .*RAY_ADDRESS"
    ):
        next(engine.map(abs, [1], spread=Engine(name="ray", address="no port")))


def node(alive=True, **resources):
    return {"Alive": alive, "Resources": resources}


def test_pool_of_cores():
    nodes = [node(CPU=16.0), node(CPU=40.0), node(CPU=64.0, alive=False), node(CPU=0.0)]
    assert ray_nodes.pool(nodes) == (2 + 5, {"num_cpus": 8})
    assert ray_nodes.pool([node(CPU=2.0), node(CPU=5.0)]) == (1 + 2, {"num_cpus": 2})


def test_pool_of_gpus():
    nodes = [node(CPU=16.0, GPU=4.0), node(CPU=64.0), node(CPU=2.0, GPU=1.0)]
    assert ray_nodes.pool(nodes) == (5, {"num_gpus": 1, "num_cpus": 2})


def test_pool_of_nothing():
    with pytest.raises(RunError, match=r"no node with a free core \(0 alive nodes\)"):
        ray_nodes.pool([node(CPU=4.0, alive=False)])


def test_actors_on_one_machine_have_cores_of_their_own(run_python):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core")
    code = (
        "import os; from kerasfaces.core.engine import ray_nodes;"
        "all = sorted(os.sched_getaffinity(0)); ray_nodes.use_cores({}, 1);"
        "print(all.index(*os.sched_getaffinity(0)))"
    )
    assert [run_python(code.format(seat)).strip() for seat in (0, 1)] == ["0", "1"]
    beyond = code.format(10**6).replace("all.index(*os.sched_getaffinity(0))", "all")
    assert len(eval(run_python(beyond))) > 1


def test_room_for_actors_that_are_wanted():
    nodes = [node(CPU=16.0), node(CPU=4.0), node(CPU=64.0, alive=False)]
    assert ray_nodes.room(nodes, {"num_cpus": 8}) == 2
    gpus = [node(CPU=16.0, GPU=4.0), node(CPU=64.0), node(CPU=2.0, GPU=1.0)]
    assert ray_nodes.room(gpus, {"num_gpus": 1, "num_cpus": 2}) == 5


def test_actors_of_a_node_have_seats_of_their_own():
    from types import SimpleNamespace

    ours = cluster.Cluster(SimpleNamespace(nodes=lambda: [node(CPU=32.0)]))
    assert [ours.seat(name, "a") for name in "xyz"] == [0, 1, 2]
    assert ours.seat("other", "b") == 0
    ours.leave("y")
    assert ours.seat("new", "a") == 1


@needs_ray
def test_what_counts_as_a_loss():
    from ray import exceptions

    wrapped = ValueError("wrapped")
    wrapped.__cause__ = exceptions.ActorDiedError()
    assert cluster.is_loss(wrapped)
    assert not cluster.is_loss(ValueError("a defect"))


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
        ray_nodes.require_package(ray)


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
        ray_nodes.require_package(ray)
    code = (
        "import pickle, sys; sys.modules['kerasfaces'] = None;"
        f"print(pickle.loads({sent[0]!r})())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("no kerasfaces: ")
