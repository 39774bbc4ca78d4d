"""What the nodes of a Ray cluster have room for, and whether they have this package."""

import os
from collections.abc import Mapping, Sequence
from types import ModuleType

import kerasfaces
from kerasfaces.core import machine
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json

CORES = 8  # of one CPU actor: convolutions of one image gain little from more


def pool(nodes: Sequence[Json]) -> tuple[int, dict[str, float]]:
    """Return how many actors a cluster gets, and what each of them reserves.

    Args:
        nodes: As `ray.nodes()` lists them.

    Raises:
        RunError: No node is alive that has a core.
    """
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    with_gpu = [one for one in alive if one.get("GPU", 0) >= 1]
    if with_gpu:
        n_actors = sum(int(one["GPU"]) for one in with_gpu)
        share = min(int(one.get("CPU", 0) // one["GPU"]) for one in with_gpu)
        return n_actors, {"num_gpus": 1, "num_cpus": share}
    cores = [int(one["CPU"]) for one in alive if one.get("CPU", 0) >= 1]
    if not cores:
        raise RunError(
            f"The Ray cluster has no node with a free core ({len(alive)} alive nodes); "
            "start one with `ray start --address=HOST:PORT`."
        )
    share = min(CORES, *cores)
    return sum(count // share for count in cores), {"num_cpus": share}


def room(nodes: Sequence[Json], share: Mapping[str, float]) -> int:
    """Return how many actors of `share` the nodes that are alive can hold."""
    unit = {"CPU": share["num_cpus"], "GPU": share.get("num_gpus", 0)}
    return sum(
        min(int(node["Resources"].get(k, 0) // n) for k, n in unit.items() if n)
        for node in nodes
        if node["Alive"] and any(unit.values())
    )


def use_cores(seat: int, share: int) -> None:
    """Bind this process to `share` cores that no lower seat has, if there are such.

    Libraries count their threads by it, so actors on one machine do not disturb each
    other.
    """
    cores = machine.cores()
    mine = cores[seat * share : (seat + 1) * share]
    if len(mine) == share:
        machine.use_cores(mine)
    os.environ["OMP_NUM_THREADS"] = str(share)


def require_package(ray: ModuleType) -> None:
    """Check on every node that it has this version of kerasfaces.

    Raises:
        InputError: A node has another one, or none.
    """

    def version() -> str:  # local functions travel whole, the package is not needed
        try:
            import kerasfaces

            return kerasfaces.__version__
        except ImportError as error:
            return f"no kerasfaces: {error}"

    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    nodes = [node for node in ray.nodes() if node["Alive"]]
    asked = [
        ray.remote(version)
        .options(num_cpus=0, scheduling_strategy=strategy(node["NodeID"], soft=True))
        .remote()
        for node in nodes
    ]
    for node, answer in zip(nodes, ray.get(asked), strict=True):
        if answer != kerasfaces.__version__:
            raise InputError(
                f"Ray node {node['NodeManagerHostname']} has {answer}, expected kerasfaces "
                f"{kerasfaces.__version__}; install kerasfaces[channels,distributed] there "
                "with the constraints used here."
            )
