"""Actors of a Ray cluster, as workers.

One actor per GPU where the cluster has GPUs, with its share of the node's cores, else one
per `ray_nodes.CORES` cores. Items are sent with what they need, so nodes need neither the driver's
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
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, TextIO

from kerasfaces.core import machine, numerics
from kerasfaces.core.engine import ray_nodes
from kerasfaces.core.engine.tasks import Runner, result_of
from kerasfaces.core.engine.workers import LostError, UnavailableError
from kerasfaces.core.errors import InputError
from kerasfaces.core.imports import optional_import

logger = logging.getLogger(__name__)
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
        ray_nodes.require_package(ray)
        yield ray
    finally:
        sys.stdout = stdout
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            ray.shutdown()  # prints what it held back


class Cluster:
    """What actors share: the cluster's nodes, and who has which cores of them."""

    def __init__(self, ray: ModuleType) -> None:
        self.ray = ray
        self.n_actors, self.share = ray_nodes.pool(ray.nodes())
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
        return ray_nodes.room(self.ray.nodes(), self.share) >= self._n_wanted

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

    keep = False

    def __init__(self, cluster: Cluster, task: Any) -> None:
        self._cluster, self._task = cluster, task
        self._actor: Any = None
        self._host = ""

    def start(self) -> None:
        """Start the actor, or a new one; see `workers.Worker`."""
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
        """Return the result of an item; see `workers.Worker`."""
        actor, ray = self._actor, self._cluster.ray
        try:
            answer = ray.get(actor.run.remote(item))
        except Exception as error:
            if not is_loss(error):
                raise
            raise LostError(_first_line(error)) from error
        return result_of(answer, f"Ray node {self._host}")

    def close(self, *, at_once: bool) -> None:
        """End the actor; see `workers.Worker`."""
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
        ray_nodes.use_cores(seat, max(1, n_cores))
        self._runner = Runner(task)

    def run(self, item: bytes) -> bytes:
        """Return an item's pickled result or error."""
        return self._runner(item)

    def close(self) -> None:
        """Close the task."""
        self._runner.close()


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
