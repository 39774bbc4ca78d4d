"""Chunks of images -> their results, on this machine or on the nodes of a Ray cluster.

A chunk is a fixed number of images that an engine computes at a time and that become one
shard. Chunks leave in the order in which they enter, so the store holds the same bytes
either way. Everywhere images are decoded in processes of their own: a decoder that
crashes costs one.

On this machine the driver computes on all cores; a thread prepares the next chunk (faces,
masks) while this one's channels are computed, so cores are busy in the single-threaded
steps too. Memory holds two chunks and what decoders are ahead by.

On a cluster each actor computes a chunk at a time. Files are read on the driver's machine
only and their bytes sent, so nodes need neither the images nor a shared disk (a file named
in an option, such as `lnp.weights`, they do need).
"""

import contextlib
import functools
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from kerasfaces import store
from kerasfaces.channels import recipe
from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.worker import Item, Masked, Result, Worker, decode, fetch
from kerasfaces.core import engine
from kerasfaces.core.engine import Engine, Pool
from kerasfaces.core.files import Json
from kerasfaces.images import DECODER_CRASHED

Chunk = list[Item]
CHUNK = 32  # images per shard: 21 MB at 256 px, 5 channels, float16
_FULL_SIZE_PX = 512  # larger images come in smaller chunks: memory holds two


def chunk_images(size_px: int) -> int:
    """Return the images per chunk: at most `CHUNK`, fewer of large images."""
    return max(1, min(CHUNK, CHUNK * _FULL_SIZE_PX**2 // size_px**2))


def plan(items: Sequence[Item], target: store.Store, size: int) -> list[Chunk]:
    """Return the chunks of `size` images of which something is left to do.

    Where a chunk begins does not depend on what was done before or by whom, so every
    engine, killed or not, leaves the same bytes.
    """
    unique = list({item.sha256: item for item in items}.values())
    chunks = [
        [item for item in unique[start : start + size] if item.sha256 not in target]
        for start in range(0, len(unique), size)
    ]
    return [chunk for chunk in chunks if chunk]


def results(
    config: ChannelsConfig, chunks: Sequence[Chunk], spread: Engine
) -> Generator[list[Result], None, None]:
    """Yield the results of every chunk, in order.

    Images of a chunk whose workers died again and again have that as their reason.

    Raises:
        KerasfacesError: See `engine.pool`; or a node would make other channels.
    """
    if spread.name == "local":
        yield from _here(config, chunks, spread)
        return
    outcomes = engine.map(
        ChunkTask(config, recipe.recipe_of(config)), chunks, spread=spread, load=read
    )
    for chunk, outcome in zip(chunks, outcomes, strict=True):
        died = f"a worker died: {outcome.error}"
        yield outcome.value or [Result(item.sha256, None, died, True) for item in chunk]


def _here(
    config: ChannelsConfig, chunks: Sequence[Chunk], spread: Engine
) -> Generator[list[Result], None, None]:
    items = [item for chunk in chunks for item in chunk]
    worker = Worker(config)
    with (
        contextlib.closing(_decoded(config, items, spread)) as stream,
        ThreadPoolExecutor(1) as ahead,
    ):

        def prepare(chunk: Chunk) -> Masked:
            return worker.prepare(list(islice(stream, len(chunk))))

        pending = ahead.submit(prepare, chunks[0])
        for chunk, following in zip(chunks, [*chunks[1:], None], strict=True):
            masked = pending.result()
            if following is not None:
                pending = ahead.submit(prepare, following)
            yield worker.complete([item.sha256 for item in chunk], masked)


def _decoded(
    config: ChannelsConfig, items: Sequence[Item], spread: Engine
) -> Generator[Result, None, None]:
    decode_one = functools.partial(decode, spec=config.input_spec)
    outcomes = engine.map(decode_one, items, spread=spread, chunk=engine.CHUNK)
    for item, outcome in zip(items, outcomes, strict=True):
        yield outcome.value or Result(item.sha256, None, DECODER_CRASHED)


def read(items: Sequence[Item]) -> list[Item | Result]:
    """Return items with their files' bytes, or why a file has none."""
    return [fetch(item) for item in items]


class ChunkTask:
    """Computes a chunk's results on a node, which must make what the driver would."""

    def __init__(self, config: ChannelsConfig, here: Json) -> None:
        """Load nothing yet; `here` is the driver's recipe."""
        self._config, self._here = config, here
        self._open = contextlib.ExitStack()

    def __reduce__(self) -> tuple[type["ChunkTask"], tuple[Any, ...]]:
        """Pickle what it is made of, nothing that is open."""
        return ChunkTask, (self._config, self._here)

    def __call__(self, items: Sequence[Item | Result]) -> list[Result]:
        """Return the results of items with their bytes."""
        return self._worker.finish(decode_apart(self._decoders, items))

    def close(self) -> None:
        """End helper processes."""
        self._open.close()

    @functools.cached_property
    def _worker(self) -> Worker:
        worker = Worker(self._config)
        there = recipe.recipe_by(worker)
        recipe.refuse_difference(self._here, there, "the driver's recipe")
        return worker

    @functools.cached_property
    def _decoders(self) -> Pool[Item, Result]:
        decode_one = functools.partial(decode, spec=self._config.input_spec)
        one, label = Engine(workers=1), "decoding images"
        return self._open.enter_context(
            engine.pool(decode_one, one, label=label, apart=True)
        )


def decode_apart(
    decoders: Pool[Item, Result], items: Sequence[Item | Result]
) -> list[Result]:
    """Return every item decoded, in order; what has a reason already stays."""
    decoded = {at: item for at, item in enumerate(items) if isinstance(item, Result)}
    for at, item in enumerate(items):
        if isinstance(item, Item):
            decoders.submit(at, item)
    while len(decoded) < len(items):
        outcome = decoders.next()
        at = int(outcome.key)
        crashed = Result(items[at].sha256, None, DECODER_CRASHED)
        decoded[at] = outcome.value or crashed
    return [decoded[at] for at in range(len(items))]
