"""Chunks of images -> their results, on this machine or on the nodes of a Ray cluster.

Chunks leave in the order in which they enter, so the store holds the same bytes either way.
Everywhere images are decoded in processes of their own: a decoder that crashes costs one.

On this machine the driver computes on all cores; a thread prepares the next chunk (faces,
masks) while this one's channels are computed, so cores are busy in the single-threaded
steps too. Memory holds two chunks and what decoders are ahead by.

On a cluster each actor computes a chunk at a time. Files are read on the driver's machine
only and their bytes sent, so nodes need neither the images nor a shared disk (a file named
in an option, such as `lnp.weights`, they do need).
"""

import contextlib
import functools
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from kerasfaces.channels import recipe
from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.worker import (
    Decoded,
    Item,
    Masked,
    Result,
    Worker,
    decode,
    fetch,
)
from kerasfaces.core import engine
from kerasfaces.core.engine import Engine, Pool
from kerasfaces.images import DECODER_CRASHED

if TYPE_CHECKING:
    from kerasfaces.channels.run import Chunk


def results(
    config: ChannelsConfig, chunks: Sequence["Chunk"], spread: Engine
) -> Generator[tuple["Chunk", list[Result]], None, None]:
    """Yield every chunk with its results, in order.

    Images of a chunk whose workers died again and again have that as their reason.

    Raises:
        KerasfacesError: See `engine.pool`; or a node would make other channels.
    """
    if spread.name == "local":
        yield from _here(config, chunks, spread)
        return
    outcomes = engine.map(
        Compute(config, recipe.recipe_of(config)),
        [chunk.items for chunk in chunks],
        spread=spread,
        load=_read,
    )
    for chunk, outcome in zip(chunks, outcomes, strict=True):
        yield (
            chunk,
            outcome.value
            or [
                Result(item.sha256, None, f"a worker died: {outcome.error}", True)
                for item in chunk.items
            ],
        )


def _here(
    config: ChannelsConfig, chunks: Sequence["Chunk"], spread: Engine
) -> Generator[tuple["Chunk", list[Result]], None, None]:
    items = [item for chunk in chunks for item in chunk.items]
    with (
        Worker(config) as worker,
        contextlib.closing(_decoded(config, items, spread)) as stream,
        ThreadPoolExecutor(1) as ahead,
    ):

        def prepare(chunk: "Chunk") -> Masked:
            return worker.prepare(list(islice(stream, len(chunk.items))))

        pending = ahead.submit(prepare, chunks[0])
        for chunk, following in zip(chunks, [*chunks[1:], None], strict=True):
            masked = pending.result()
            if following is not None:
                pending = ahead.submit(prepare, following)
            keys = [item.sha256 for item in chunk.items]
            yield chunk, worker.complete(keys, masked)


def _decoded(
    config: ChannelsConfig, items: Sequence[Item], spread: Engine
) -> Generator[Decoded, None, None]:
    decode_one = functools.partial(decode, spec=config.input_spec)
    outcomes = engine.map(decode_one, items, spread=spread, chunk=engine.CHUNK)
    for item, outcome in zip(items, outcomes, strict=True):
        yield outcome.value or Decoded(item.sha256, None, DECODER_CRASHED)


def _read(items: Sequence[Item]) -> list[Item | Decoded]:
    """Return items with their files' bytes, or why a file has none."""
    return [fetch(item) for item in items]


class Compute:
    """Computes a chunk's results on a node, which must make what the driver would."""

    def __init__(self, config: ChannelsConfig, here: Mapping[str, Any]) -> None:
        """Keep what is needed; nothing is loaded yet.

        Args:
            config: Channels, mask, size and dtype of the store.
            here: The driver's recipe.
        """
        self._config, self._here = config, here
        self._open = contextlib.ExitStack()

    def __reduce__(self) -> tuple[type["Compute"], tuple[Any, ...]]:
        """Pickle what it was made of."""
        return Compute, (self._config, self._here)

    def __call__(self, items: Sequence[Item | Decoded]) -> list[Result]:
        """Return the results of items with their bytes.

        Raises:
            InputError: This node would make other channels.
        """
        return self._worker.finish(decode_apart(self._decoders, items))

    def close(self) -> None:
        """End helper processes."""
        self._open.close()

    @functools.cached_property
    def _worker(self) -> Worker:
        worker = self._open.enter_context(Worker(self._config))
        there = recipe.recipe_by(worker)
        recipe.refuse_difference(self._here, there, "the driver's recipe")
        return worker

    @functools.cached_property
    def _decoders(self) -> Pool[Item, Decoded]:
        decode_one = functools.partial(decode, spec=self._config.input_spec)
        return self._open.enter_context(
            engine.pool(
                decode_one, Engine(workers=1), label="decoding images", apart=True
            )
        )


def decode_apart(
    decoders: Pool[Item, Decoded], items: Sequence[Item | Decoded]
) -> list[Decoded]:
    """Return every item decoded, in order; what has a reason already stays."""
    todo = [at for at, item in enumerate(items) if isinstance(item, Item)]
    for at in todo:
        decoders.submit(at, cast("Item", items[at]))
    decoded: list[Any] = list(items)
    for _ in todo:
        outcome = decoders.next()
        at = int(outcome.key)
        crashed = Decoded(items[at].sha256, None, DECODER_CRASHED)
        decoded[at] = outcome.value or crashed
    return decoded
