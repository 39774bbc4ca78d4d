"""Decode in a process of its own: a decoder that crashes costs one image.

Engine `local` has `workers.stream`, over all files at once; an actor, which gets a few
files at a time, keeps this.
"""

import functools
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from kerasfaces.channels.worker import Decoded, Item, decode
from kerasfaces.core import workers
from kerasfaces.images import InputSpec


class Decoders:
    """Worker processes that are started when needed and stay."""

    def __init__(self, spec: InputSpec, n_processes: int = 1) -> None:
        """Keep the specification; nothing is started yet."""
        self._decode = functools.partial(decode, spec=spec)
        self._n = n_processes
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, items: Sequence[Item | Decoded]) -> list[Decoded]:
        """Return every item decoded, in order; what is decoded already stays."""
        todo = [item for item in items if isinstance(item, Item)]
        try:
            found = iter(list(self._started().map(self._decode, todo)))
        except BrokenProcessPool:
            found = map(self._alone, todo)
        return [next(found) if isinstance(item, Item) else item for item in items]

    def close(self) -> None:
        """End the processes; a later call starts them again."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = workers.start_pool(self._n)
        return self._pool

    def _alone(self, item: Item) -> Decoded:
        for _ in range(2):  # the first pool may still be the broken one
            try:
                return self._started().submit(self._decode, item).result()
            except BrokenProcessPool:
                self.close()
        return Decoded(item.sha256, None, workers.CRASHED)
