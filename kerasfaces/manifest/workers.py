"""Run one function over many files in worker processes that a bad file may kill.

Items enter in any number; one result per item leaves, in order, None where the worker
died on it (a decoder that crashes takes its process along).
"""

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from kerasfaces import cli

logger = logging.getLogger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")

CRASHED = "decoder crashed"
_CHUNK = 32  # items a worker gets at a time
_IN_PROCESS = 64  # below this, starting workers costs more than it saves
_ROUND = 64  # chunks handed out before their results are collected


def each(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    label: str,
    workers: int | None = None,
) -> list[Result | None]:
    """Return `function(item)` for every item, in order; None where a worker died.

    Args:
        function: A module-level function, so that a fresh process can import it.
        items: What to work on; pickled.
        label: What the progress bar says.
        workers: Processes; the number of usable cores if None; 1 works in this process.
    """
    n_workers = workers or len(os.sched_getaffinity(0))
    results: list[Result | None] = []
    with cli.progress(len(items), label) as advance:
        source = (
            _here(function, items)
            if n_workers == 1 or len(items) < _IN_PROCESS
            else _spread(function, items, n_workers)
        )
        for part in source:
            results += part
            advance(len(part))
    return results


def _here(
    function: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[list[Result | None]]:
    for item in items:
        yield [function(item)]


def _spread(
    function: Callable[[Item], Result], items: Sequence[Item], n_workers: int
) -> Iterator[list[Result | None]]:
    chunks = [items[at : at + _CHUNK] for at in range(0, len(items), _CHUNK)]
    while chunks:
        done = 0
        try:
            with _pool(n_workers) as pool:
                for start in range(0, len(chunks), _ROUND):
                    part = chunks[start : start + _ROUND]
                    jobs = [pool.submit(_chunk, function, chunk) for chunk in part]
                    for job in jobs:
                        yield job.result()
                        done += 1
            return
        except BrokenProcessPool:
            chunks = chunks[done:]
        if not _workers_start():
            logger.warning(
                "worker processes cannot be started (is the calling script guarded by "
                "`if __name__ == '__main__'`?); continuing in this process"
            )
            for chunk in chunks:
                yield from _here(function, chunk)
            return
        suspects, chunks = chunks[: n_workers + 1], chunks[n_workers + 1 :]
        for chunk in suspects:
            yield [_alone(function, item) for item in chunk]


def _alone(function: Callable[[Item], Result], item: Item) -> Result | None:
    """Run one suspect in a process of its own."""
    try:
        with _pool(1) as pool:
            return pool.submit(function, item).result()
    except BrokenProcessPool:
        logger.warning("a worker process died on %s", item)
        return None


def _chunk(
    function: Callable[[Item], Result], items: Sequence[Item]
) -> list[Result | None]:
    return [function(item) for item in items]


def _workers_start() -> bool:
    try:
        with _pool(1) as pool:
            return pool.submit(int).result() == 0
    except BrokenProcessPool:
        return False


def _pool(n_workers: int) -> ProcessPoolExecutor:
    # Never fork: the caller's threads may hold locks.
    return ProcessPoolExecutor(
        n_workers, mp_context=multiprocessing.get_context("spawn")
    )
