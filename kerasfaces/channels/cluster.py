"""The Ray cluster itself: connect, count its nodes, bind actors to cores.

Nothing here knows what is computed.
"""

import contextlib
import io
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import kerasfaces
from kerasfaces.core import machine
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.imports import optional_import

logger = logging.getLogger(__name__)
CORES = 8  # of one CPU actor: convolutions of one image gain little from more
# Ray's own chatter: usage statistics, and a notice about a future default.
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


class _ToLog(io.TextIOBase):
    """Stands in for stdout, which is for results: Ray reports lost nodes on it."""

    def write(self, text: str) -> int:
        """Log the text."""
        if text.strip():
            logger.debug("%s", text.rstrip())
        return len(text)


@contextlib.contextmanager
def connected() -> Iterator[ModuleType]:
    """Connect to the cluster, or start one on this machine; leave it at the end."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    ray = optional_import("ray", "distributed")
    optional_import("ray.data", "distributed")
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    if ray.is_initialized():
        yield ray
        return
    address = os.environ.get("RAY_ADDRESS") or "local"
    cores = machine.usable_cores()
    own = {"num_cpus": cores, "include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False, **own)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise InputError(
            f"Ray at {address} cannot be used ({reason}); start it with `ray start --head` "
            "and give its host:port, or unset RAY_ADDRESS to run on this machine."
        ) from error
    with contextlib.redirect_stdout(_ToLog()):
        try:
            yield ray
        finally:
            ray.shutdown()  # prints what it held back


def pool(nodes: Sequence[Mapping[str, Any]]) -> tuple[int, dict[str, float]]:
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


def is_loss(error: BaseException | None) -> bool:
    """Tell whether an actor, its node or its results were lost."""
    from ray import exceptions

    losses = (
        exceptions.RayActorError,
        exceptions.WorkerCrashedError,
        exceptions.NodeDiedError,
        exceptions.ObjectLostError,
        exceptions.OutOfMemoryError,
    )
    while error is not None:
        if isinstance(error, losses):
            return True
        error = error.__cause__ or getattr(error, "cause", None)
    return False
