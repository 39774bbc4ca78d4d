"""Run one function over many files in worker processes that a bad file may kill.

One result per item leaves, in order; None where a worker died on it (a decoder that
crashes takes its process along). Only a few chunks are in flight, so memory is bounded
however many items there are.
"""

import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import TypeVar

from kerasfaces.core import interruptions, machine
from kerasfaces.core.progress import progress

logger = logging.getLogger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")

CRASHED = "decoder crashed"
_CHUNK = 16  # items a worker gets at a time
_IN_PROCESS = 48  # below this, starting workers costs more than it saves
_OF_TERMINALS = [getattr(signal, n) for n in ("SIGINT", "SIGHUP") if hasattr(signal, n)]
_SILENT_TRACKER = "ignore:resource_tracker"
_IN_FLIGHT = 3  # chunks per worker that are running or waiting to be collected


def each(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    label: str,
    workers: int | None = None,
) -> list[Result | None]:
    """Return `function(item)` for every item, in order, with progress; see `stream`."""
    results = []
    with progress(len(items), label) as advance:
        for result in stream(function, items, workers):
            results.append(result)
            advance(1)
    return results


def stream(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int | None = None,
) -> Iterator[Result | None]:
    """Yield `function(item)` for every item, in order; None where a worker died.

    Args:
        function: A module-level function, so that a fresh process can import it.
        items: What to work on; pickled.
        workers: Processes; the number of usable cores if None; 1 works in this process.
    """
    n_workers = workers or machine.usable_cores()
    if n_workers == 1 or len(items) < _IN_PROCESS:
        yield from map(function, items)
        return
    done = 0
    while done < len(items):
        try:
            for result in _spread(function, items[done:], n_workers):
                yield result
                done += 1
        except BrokenProcessPool:
            if not _workers_start():
                logger.warning(
                    "worker processes cannot be started; continuing in this process"
                )
                yield from map(function, items[done:])
                return
            suspects = items[done : done + n_workers * _IN_FLIGHT * _CHUNK]
            yield from _alone(function, suspects)
            done += len(suspects)


def _spread(
    function: Callable[[Item], Result], items: Sequence[Item], n_workers: int
) -> Iterator[Result]:
    chunks = (items[at : at + _CHUNK] for at in range(0, len(items), _CHUNK))
    with start_pool(n_workers) as pool:
        running: deque[Future[list[Result]]] = deque(
            pool.submit(_chunk, function, chunk)
            for chunk in islice(chunks, n_workers * _IN_FLIGHT)
        )
        while running:
            yield from running.popleft().result()
            for chunk in islice(chunks, 1):
                running.append(pool.submit(_chunk, function, chunk))


def _alone(
    function: Callable[[Item], Result], suspects: Sequence[Item]
) -> Iterator[Result | None]:
    """Run suspects one by one, each death costing one item and a new process."""
    pool = start_pool(1)
    for item in suspects:
        try:
            yield pool.submit(function, item).result()
        except BrokenProcessPool:
            logger.warning("a worker process died on %s", item)
            pool.shutdown()
            pool = start_pool(1)
            yield None
    pool.shutdown()


def _chunk(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [function(item) for item in items]


def _workers_start() -> bool:
    try:
        with start_pool(1) as pool:
            return pool.submit(int).result() == 0
    except BrokenProcessPool:
        return False


def start_pool(n_workers: int) -> ProcessPoolExecutor:
    """Return a pool of fresh processes that end soon after this one."""
    with _left_to_parent():
        return ProcessPoolExecutor(
            n_workers,
            mp_context=Fresh(),
            initializer=machine.end_with,
            initargs=(os.getpid(),),
        )


@contextmanager
def _left_to_parent() -> Iterator[None]:
    """Let processes started inside block what a terminal sends to the whole group.

    They would die of it, before their first line with a traceback; the parent ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINALS)
    try:
        # It removes the semaphores of a parent that was killed: nobody needs to know.
        sys.warnoptions.append(_SILENT_TRACKER)
        try:
            resource_tracker.ensure_running()
        finally:
            sys.warnoptions.remove(_SILENT_TRACKER)
        # That unblocked one of them.
        signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINALS)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Process(SpawnProcess):
    """A process that does not run the program that starts it once more.

    As `spawn` does: a user's script without `if __name__ == "__main__"` would do its work
    in every worker. Workers run this package's functions only, so they need nothing of it.
    """

    def start(self) -> None:
        with _left_to_parent(), interruptions.starting:
            program = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                super().start()
            finally:
                sys.modules["__main__"] = program


class Fresh(SpawnContext):
    """Starts fresh processes, never forks: the caller's threads may hold locks."""

    Process = _Process
