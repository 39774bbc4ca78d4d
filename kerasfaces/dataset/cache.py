"""Decode and resize each image once, into the uint8 cache.

Workers run Pillow in processes of their own; an image on which a decoder dies is
isolated, recorded with that reason, and everything else goes on.
"""

import dataclasses
import logging
import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kerasfaces import cli, images, store
from kerasfaces.dataset import hashes
from kerasfaces.errors import ImageError
from kerasfaces.images import InputSpec

logger = logging.getLogger(__name__)

_CHUNK = 16  # images a worker gets at a time
_SHARD_BYTES = 64 * 2**20
_IN_PROCESS = 48  # below this many images, starting workers costs more than it saves
_CRASHED = "decoder crashed"


@dataclasses.dataclass(frozen=True)
class Decoded:
    """What became of one file: its hash and its array, or the reason there is none."""

    path: Path
    sha256: str
    array: NDArray[np.uint8] | None
    reason: str


@dataclasses.dataclass(frozen=True)
class CachedImages:
    """The uint8 cache seen from a list of files.

    Attributes:
        store: `(size, size, 3)` uint8 by sha256.
        keys: Per file, its sha256; empty when it could not be read.
        reasons: Per file, why it has no array; empty when it has one.
    """

    store: store.Store
    keys: list[str]
    reasons: list[str]


def cache_images(
    files: Sequence[Path], spec: InputSpec, workers: int | None = None
) -> CachedImages:
    """Bring all `files` into the cache of `spec` and return them, in order.

    What was decoded before, in whichever run, is not decoded again. Killed at any
    moment, the next call continues.

    Args:
        files: Absolute paths; repetitions are fine.
        spec: Size, crop and filter.
        workers: Processes; default is the number of cores.
    """
    recipe = {"kind": "images", **spec.recipe()}
    folder = store.cache_folder("images", recipe)
    shape = (spec.size_px, spec.size_px, 3)
    with store.writing(folder, recipe, shape, "uint8", wait=True) as cache:
        unique = list(dict.fromkeys(files))
        stats = {path: stat for path in unique if (stat := hashes.stat_of(path))}
        digests = hashes.known(stats)
        missing = [path for path in unique if digests.get(path, "") not in cache]
        reasons: dict[Path, str] = {}
        if missing:
            _fill(cache, missing, spec, workers, stats, digests, reasons)
    keys = [digests.get(path, "") for path in files]
    status = [
        reasons[path] if path in reasons else _status(cache, key)
        for path, key in zip(files, keys, strict=True)
    ]
    return CachedImages(cache, keys, status)


def _status(cache: store.Store, key: str) -> str:
    status = cache.status(key)
    return "" if status == store.OK else status


def _fill(
    cache: store.Store,
    missing: list[Path],
    spec: InputSpec,
    workers: int | None,
    stats: dict[Path, hashes.Stat],
    digests: dict[Path, str],
    reasons: dict[Path, str],
) -> None:
    """Decode `missing` into `cache`; fill in `digests` and `reasons`."""
    per_shard = max(1, _SHARD_BYTES // (spec.size_px**2 * 3))
    pending: dict[str, NDArray[np.uint8]] = {}
    learnt: list[tuple[Path, hashes.Stat, str]] = []

    def flush() -> None:
        if pending:
            cache.append(list(pending), np.stack(list(pending.values())))
            pending.clear()
        hashes.remember(learnt)
        learnt.clear()

    with cli.progress(len(missing), "decoding images") as add:
        for item in decode_all(missing, spec, workers):
            if not item.sha256:
                reasons[item.path] = item.reason
            else:
                digests[item.path] = item.sha256
                if item.path in stats:
                    learnt.append((item.path, stats[item.path], item.sha256))
                if item.sha256 not in cache and item.sha256 not in pending:
                    if item.array is not None:
                        pending[item.sha256] = item.array
                    elif item.reason == _CRASHED:
                        reasons[item.path] = (
                            item.reason
                        )  # may be the machine's fault: try again
                    else:
                        cache.append_failures({item.sha256: item.reason})
            if len(pending) >= per_shard:
                flush()
            add(1)
        flush()


def decode_all(
    files: Sequence[Path], spec: InputSpec, workers: int | None = None
) -> Iterator[Decoded]:
    """Decode files in worker processes; results come in the order of `files`."""
    n_workers = workers or os.cpu_count() or 1
    if len(files) < _IN_PROCESS or n_workers == 1:
        yield from map(_decode_one, files, [spec] * len(files))
        return
    chunks = [list(files[i : i + _CHUNK]) for i in range(0, len(files), _CHUNK)]
    with _pool(n_workers) as pool:
        running: deque[tuple[list[Path], Future[list[Decoded]]]] = deque()
        waiting = iter(chunks)
        try:
            for chunk in _first(waiting, 2 * n_workers):
                running.append((chunk, pool.submit(_decode_chunk, chunk, spec)))
            while running:
                chunk, future = running[0]
                yield from future.result()
                running.popleft()
                for following in _first(waiting, 1):
                    running.append(
                        (following, pool.submit(_decode_chunk, following, spec))
                    )
            return
        except BrokenProcessPool:
            left = [path for chunk, _ in running for path in chunk]
            left += [path for chunk in waiting for path in chunk]
    yield from _isolate(left, spec, n_workers)


def _isolate(files: list[Path], spec: InputSpec, n_workers: int) -> Iterator[Decoded]:
    """Go on after a worker died: one chunk image by image, the rest in a new pool."""
    if not _workers_start():
        logger.warning(
            "worker processes cannot be started here (is the calling script guarded by "
            "`if __name__ == '__main__'`?); decoding in this process"
        )
        yield from map(_decode_one, files, [spec] * len(files))
        return
    suspects, rest = files[: _CHUNK * 2 * n_workers], files[_CHUNK * 2 * n_workers :]
    pool = _pool(1)
    for path in suspects:
        try:
            yield pool.submit(_decode_one, path, spec).result()
        except BrokenProcessPool:
            logger.warning("a decoder crashed on %s", path)
            yield Decoded(path, "", None, _CRASHED)
            pool.shutdown()
            pool = _pool(1)
    pool.shutdown()
    if rest:
        yield from decode_all(rest, spec, n_workers)


def _workers_start() -> bool:
    try:
        with _pool(1) as pool:
            return pool.submit(int).result() == 0
    except BrokenProcessPool:
        return False


def _pool(n_workers: int) -> ProcessPoolExecutor:
    # Never fork: TensorFlow's threads may already be running in this process.
    return ProcessPoolExecutor(
        n_workers, mp_context=multiprocessing.get_context("spawn")
    )


def _first(items: Iterator[list[Path]], count: int) -> Iterable[list[Path]]:
    for _, item in zip(range(count), items, strict=False):
        yield item


def _decode_chunk(paths: list[Path], spec: InputSpec) -> list[Decoded]:
    return [_decode_one(path, spec) for path in paths]


def _decode_one(path: Path, spec: InputSpec) -> Decoded:
    try:
        data = images.read_file(path)
    except ImageError as error:
        return Decoded(path, "", None, str(error))
    digest = images.sha256(data)
    try:
        return Decoded(path, digest, images.to_array(images.decode(data), spec), "")
    except ImageError as error:
        return Decoded(path, digest, None, str(error))
