"""Engine `ray`: the nodes of a Ray cluster compute, the driver writes.

Chunks enter and leave in the same order, so the store holds the bytes that engine
`local` would have written. Ray Data keeps a pool of actors busy, one per GPU where the
cluster has GPUs, with its share of the node's cores, else one per `cluster.CORES` cores;
each holds a `Worker`. The cluster is the one at `RAY_ADDRESS`; without it Ray starts on
this machine for the time of the call.

Files are read on the driver's machine only and their bytes sent, one chunk at a time, so
nodes need neither the images nor a shared disk (a file named in an option, such as
`lnp.weights`, they do need).

A node or a process that dies takes its actors along: the driver then starts a new pool,
on what is left of the cluster, for the chunks that it has not received. Actors are not
restarted one by one, because a lost node's actors would wait for cores or GPUs that
are gone.
"""

import itertools
import logging
import pickle
import platform
import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasfaces.channels import cluster, recipe
from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.decoding import Decoders
from kerasfaces.channels.worker import Decoded, Item, Result, Worker, fetch
from kerasfaces.core.errors import KerasfacesError, RunError

if TYPE_CHECKING:
    from kerasfaces.channels.run import Chunk

logger = logging.getLogger(__name__)
_TRIES = 3  # pools that may die one after another without finishing a chunk
_IN_FLIGHT = 2  # chunks per actor, running or waiting


def results(
    config: ChannelsConfig, chunks: Sequence["Chunk"]
) -> Iterator[tuple["Chunk", list[Result]]]:
    """Yield every chunk with its results, in order.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: The cluster cannot be reached, or a node lacks this package or
            would make other channels.
        RunError: Workers died again and again.
    """
    with cluster.connected() as ray:
        cluster.require_package(ray)
        here = recipe.recipe_of(config)
        left = list(chunks)
        tries = 0
        while left:
            try:
                for found in _stream(ray, config, here, left):
                    yield left.pop(0), found
                    tries = 0
            except Exception as error:
                if not cluster.is_loss(error):
                    raise
                tries += 1
                _go_on(error, tries, left)


def _stream(
    ray: ModuleType,
    config: ChannelsConfig,
    here: Mapping[str, Any],
    chunks: Sequence["Chunk"],
) -> Iterator[list[Result]]:
    """Yield every chunk's results, in order, from a fresh pool of actors."""
    n_actors, each = cluster.pool(ray.nodes())
    on_this_node = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    files = ray.remote(Files).options(
        num_cpus=0, max_concurrency=4, scheduling_strategy=on_this_node
    )
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = True
    context.execution_no_progress_timeout_s = -1  # one chunk may take long
    rows = [{"position": position} for position in range(len(chunks))]
    with warnings.catch_warnings():
        # Until Ray 2.64, which setup.cfg excludes, max_restarts is passed by name.
        warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
        stream = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            Actor,
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(
                min_size=1,
                max_size=n_actors,
                initial_size=n_actors,
                max_tasks_in_flight_per_actor=_IN_FLIGHT,
            ),
            fn_constructor_args=(config, here, files.remote(list(chunks))),
            max_restarts=0,
            **each,
        )
    for batch in stream.iter_batches(batch_size=1, prefetch_batches=1):
        # Bytes of our own actors on a cluster we trust with running our code.
        found = pickle.loads(batch["results"][0])
        if isinstance(found, KerasfacesError):
            raise found
        yield found


class Files:
    """Lives on the driver's machine: reads files for the actors, and tells them apart."""

    def __init__(self, chunks: Sequence["Chunk"]) -> None:
        """Keep the plan."""
        self._chunks = chunks
        self._seats: dict[str, Iterator[int]] = {}

    def read(self, position: int) -> list[Item | Decoded]:
        """Return the items of a chunk with their bytes, or why a file has none."""
        return [fetch(item) for item in self._chunks[position].items]

    def seat(self, host: str) -> int:
        """Return how many actors on this host asked before."""
        return next(self._seats.setdefault(host, itertools.count()))


class Actor:
    """Computes one chunk per call; on a node of the cluster."""

    def __init__(
        self, config: ChannelsConfig, here: Mapping[str, Any], files: Any
    ) -> None:
        """Keep what is needed; loading waits for the first call, which can report."""
        self._config, self._here, self._files = config, here, files
        self._worker: Worker | None = None

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return the pickled results of one chunk, or the error the user can mend."""
        import ray

        try:
            worker = self._worker or self._start()
            items = ray.get(self._files.read.remote(int(batch["position"][0])))
            found: Any = worker.finish(self._decoders(items))
        except KerasfacesError as error:
            found = type(error)(f"Ray node {platform.node()}: {error}")
        out = np.empty(1, object)
        out[0] = pickle.dumps(found, protocol=pickle.HIGHEST_PROTOCOL)
        return {"results": out}

    def _start(self) -> Worker:
        """Build the worker on cores of its own, and check that it makes the same."""
        import ray

        context: Any = ray.get_runtime_context()
        share = max(1, int(context.get_assigned_resources().get("CPU", 1)))
        seat = ray.get(self._files.seat.remote(platform.node()))
        cluster.use_cores(seat, share)
        self._decoders = Decoders(self._config.input_spec)
        self._worker = worker = Worker(self._config)
        there = recipe.recipe_by(worker)
        recipe.refuse_difference(self._here, there, "the driver's recipe")
        return worker


def _go_on(error: Exception, tries: int, left: Sequence["Chunk"]) -> None:
    """Say that workers were lost.

    Raises:
        RunError: Too often without any progress.
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if tries >= _TRIES:
        first = left[0].items[0].sha256[:12]
        raise RunError(
            f"Ray workers died {tries} times in a row before they finished a chunk (last: "
            f"{type(error).__name__}: {lines[0]}); the chunk begins with image {first}. "
            "Look for killed processes (memory) on the nodes, or use --engine local; "
            "what is written is kept."
        ) from error
    logger.warning(
        "Ray workers were lost (%s); %d chunks left, going on with a new pool",
        type(error).__name__,
        len(left),
    )
