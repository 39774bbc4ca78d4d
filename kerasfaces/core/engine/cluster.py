"""Actors of a Ray cluster, as workers.

One actor per GPU where the cluster has GPUs, with its share of the node's cores, else one
per `CORES` cores. Items are sent with what they need, so nodes need neither the driver's
files nor a shared disk, but the same version of this package.

An actor that is lost is started anew if what is left of the cluster has room for it: a lost
node's actors would wait for cores or GPUs that are gone. Nothing here knows what is computed.
"""

import contextlib
import logging
import os
import platform
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, TextIO

import kerasfaces
from kerasfaces.core import machine, numerics
from kerasfaces.core.engine.pools import LostError, UnavailableError
from kerasfaces.core.engine.tasks import Runner, result_of
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.imports import optional_import

logger = logging.getLogger(__name__)
CORES = 8  # of one CPU actor: convolutions of one image gain little from more
# Ray's own chatter: usage statistics, and a notice about a future default.
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
_CLOSE_S = 3.0
_LOOK_S = 1.0  # how often a waiting actor looks at what is left of the cluster


class _WithoutRay:
    """Stands in for stdout, which is for results: a thread of Ray's writes lost nodes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        if not threading.current_thread().name.startswith("ray_"):
            return self._stream.write(text)
        if text.strip():
            logger.debug("%s", text.rstrip())
        return len(text)


@contextlib.contextmanager
def connected(address: str = "") -> Iterator[ModuleType]:
    """Connect to a cluster, or start one on this machine; leave it at the end.

    Args:
        address: HOST:PORT; see `engine.Engine`.

    Raises:
        InputError: It cannot be reached, or a node has another version of this package.
        MissingExtraError: Ray is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    ray = optional_import("ray", "distributed")
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    cores = machine.usable_cores()
    own = {"num_cpus": cores, "include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False, **own)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise InputError(
            f"Ray at {address} cannot be used ({reason}); start it with `ray start --head` "
            "and give its host:port, or leave the address and RAY_ADDRESS out to run on "
            "this machine."
        ) from error
    stdout, sys.stdout = sys.stdout, _WithoutRay(sys.stdout)
    try:
        require_package(ray)
        yield ray
    finally:
        sys.stdout = stdout
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            ray.shutdown()  # prints what it held back


class Cluster:
    """What actors share: the cluster's nodes, and who has which cores of them."""

    def __init__(self, ray: ModuleType) -> None:
        """Look at the cluster.

        Raises:
            RunError: No node is alive that has a core.
        """
        self.ray = ray
        self.n_actors, self.share = pool(ray.nodes())
        self._lock = threading.Lock()
        self._places: dict[object, tuple[str, int]] = {}
        self._n_wanted = 0

    def enter(self) -> None:
        """Count an actor that is to be placed."""
        with self._lock:
            self._n_wanted += 1

    def leave(self, actor: object) -> None:
        """Forget an actor, and give its cores away."""
        with self._lock:
            self._n_wanted -= 1
            self._places.pop(actor, None)

    def has_room(self) -> bool:
        """Tell whether the nodes that are left can hold all actors that are wanted."""
        return room(self.ray.nodes(), self.share) >= self._n_wanted

    def seat(self, actor: object, node: str) -> int:
        """Give an actor the lowest number that no other on its node has."""
        with self._lock:
            taken = {seat for at, seat in self._places.values() if at == node}
            seat = next(n for n in range(len(taken) + 1) if n not in taken)
            self._places[actor] = node, seat
            return seat


def actors(ray: ModuleType, task: bytes, limit: int | None) -> list["Actor"]:
    """Return workers for a pickled task: as many as the cluster holds, at most `limit`.

    Raises:
        RunError: No node is alive that has a core.
    """
    cluster = Cluster(ray)
    reference = ray.put(task)  # sent to each node once
    n_actors = min(cluster.n_actors, limit or cluster.n_actors)
    return [Actor(cluster, reference) for _ in range(n_actors)]


class Actor:
    """A worker on some node of the cluster."""

    def __init__(self, cluster: Cluster, task: Any) -> None:
        """Start nothing yet.

        Args:
            cluster: Where it will be.
            task: Reference to the pickled task.
        """
        self._cluster, self._task = cluster, task
        self._actor: Any = None
        self._host = ""

    def start(self) -> None:
        """Start the actor, or a new one; see `pools.Worker`."""
        self.close(at_once=True)
        self._cluster.enter()
        ray, share = self._cluster.ray, self._cluster.share
        self._actor = ray.remote(Host).options(max_restarts=0, **share).remote()
        place = self._actor.place.remote()
        try:
            while not ray.wait([place], timeout=_LOOK_S)[0]:
                if not self._cluster.has_room():
                    raise UnavailableError("its node was lost")
            node, self._host = ray.get(place)
            seat = self._cluster.seat(self, node)
            n_cores, variables = int(share["num_cpus"]), numerics.handed_on()
            ray.get(self._actor.open.remote(self._task, seat, n_cores, variables))
        except Exception as error:
            self.close(at_once=True)
            if not is_loss(error):
                raise
            raise UnavailableError(_first_line(error)) from error

    def run(self, item: bytes) -> Any:
        """Return the result of an item; see `pools.Worker`."""
        actor, ray = self._actor, self._cluster.ray
        try:
            answer = ray.get(actor.run.remote(item))
        except Exception as error:
            if not is_loss(error):
                raise
            raise LostError(_first_line(error)) from error
        return result_of(answer, f"Ray node {self._host}")

    def close(self, *, at_once: bool) -> None:
        """End the actor; see `pools.Worker`."""
        if self._actor is None:
            return
        actor, self._actor = self._actor, None
        self._cluster.leave(self)
        with contextlib.suppress(Exception):
            if not at_once:
                self._cluster.ray.get(actor.close.remote(), timeout=_CLOSE_S)
            self._cluster.ray.kill(actor)


class Host:
    """The actor itself, on its node."""

    def place(self) -> tuple[str, str]:
        """Return its node's number and name."""
        import ray

        node: str = ray.get_runtime_context().get_node_id()
        return node, platform.node()

    def open(
        self, task: bytes, seat: int, n_cores: int, variables: Mapping[str, str]
    ) -> None:
        """Take cores, then unpickle the task: libraries count their threads by them.

        Args:
            task: Pickled.
            seat: Number of this actor on its node.
            n_cores: How many are its own.
            variables: Of the environment, as the driver has them.
        """
        os.environ.update(variables)
        use_cores(seat, max(1, n_cores))
        self._runner = Runner(task)

    def run(self, item: bytes) -> bytes:
        """Return an item's pickled result or error."""
        return self._runner(item)

    def close(self) -> None:
        """Close the task."""
        self._runner.close()


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


def room(nodes: Sequence[Mapping[str, Any]], share: Mapping[str, float]) -> int:
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


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


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
