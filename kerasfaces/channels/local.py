"""Engine `local`: all cores of this machine.

Worker processes decode (a decoder that crashes costs one image); a thread prepares the
next chunk (faces, masks) while this one's channels are computed, so cores are busy in
the single-threaded steps too. Memory holds two chunks and what decoders are ahead by.
"""

import contextlib
import functools
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.worker import Decoded, Item, Masked, Result, Worker, decode
from kerasfaces.core import workers

if TYPE_CHECKING:
    from kerasfaces.channels.run import Chunk


def results(
    config: ChannelsConfig, chunks: Sequence["Chunk"]
) -> Iterator[tuple["Chunk", list[Result]]]:
    """Yield every chunk with its results, in order."""
    items = [item for chunk in chunks for item in chunk.items]
    with (
        Worker(config) as worker,
        contextlib.closing(_stream(config, items)) as stream,
        ThreadPoolExecutor(1) as ahead,
    ):

        def prepare(chunk: "Chunk") -> Masked:
            found = islice(stream, len(chunk.items))
            return worker.prepare(
                [
                    one or Decoded(item.sha256, None, workers.CRASHED)
                    for item, one in zip(chunk.items, found, strict=True)
                ]
            )

        pending = ahead.submit(prepare, chunks[0])
        for chunk, following in zip(chunks, [*chunks[1:], None], strict=True):
            masked = pending.result()
            if following is not None:
                pending = ahead.submit(prepare, following)
            keys = [item.sha256 for item in chunk.items]
            yield chunk, worker.complete(keys, masked)


def _stream(
    config: ChannelsConfig, items: Sequence[Item]
) -> Generator[Decoded | None, None, None]:
    yield from workers.stream(functools.partial(decode, spec=config.input_spec), items)
