"""A pool of workers, whatever they are: processes of this machine, actors of a cluster.

A thread per worker sends one item and waits for its answer, so a worker that dies is known
with its item. The worker is then started anew and the item done again first, unless it has
had its attempts.
"""

import atexit
import itertools
import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from kerasfaces.core.engine.pools import Item, Pool, Result
from kerasfaces.core.engine.tasks import Outcome, dumps
from kerasfaces.core.errors import RunError

logger = logging.getLogger(__name__)
_DEATHS = 100  # one after another without any result: then it is not the items' fault
_AGAIN, _NEW, _END = range(3)  # in this order
_JOIN_S = 5.0


class LostError(Exception):
    """A worker died; the message is the reason."""


class UnavailableError(Exception):
    """A worker cannot be started."""


class Worker(Protocol):
    """Runs a task somewhere, one item at a time.

    Attributes:
        keep: Whether what it starts is of use after its pool.
    """

    keep: bool

    def start(self) -> None:
        """Start, or start anew; return when items are taken.

        Raises:
            UnavailableError: There is no place for it (any more).
        """

    def run(self, item: bytes) -> Any:
        """Return the result of a pickled item; raise what the task raises.

        Raises:
            LostError: The worker died.
        """

    def close(self, *, at_once: bool) -> None:
        """End it: as it is idle, in its own time unless `at_once`; never raises."""


@dataclass
class _Job:
    key: int | str
    item: Any
    attempts: int  # that are left


class Workers(Pool[Item, Result]):
    """A pool of workers, each started when there is something for it to do."""

    def __init__(
        self,
        workers: Sequence[Worker],
        *,
        retries: int,
        label: str,
        load: Callable[[Item], Any] | None = None,
        instead: Callable[[], Worker] | None = None,
    ) -> None:
        """Start nothing yet; for `retries`, `label` and `load` see `engine.pool`.

        `instead` returns a worker that always starts, for when no other can be.
        """
        self._retries, self._label, self._load = retries, label, load
        self._unused, self._instead = list(workers), instead
        self.n_workers = len(workers)
        self._serving: list[tuple[threading.Thread, Worker]] = []
        self._begun: list[Worker] = []
        self._busy: set[Worker] = set()
        self._starting: set[Worker] = set()
        self._n_unavailable = self._deaths = 0
        self._order = itertools.count()
        self._jobs: queue.PriorityQueue[tuple[int, int, _Job | None]]
        self._jobs = queue.PriorityQueue()
        self._outcomes: queue.SimpleQueue[Outcome[Result] | Exception]
        self._outcomes = queue.SimpleQueue()
        self._closed = False
        atexit.register(self._kill)

    def submit(self, key: int | str, item: Item, *, retries: int | None = None) -> None:
        """Have an item worked on; see `Pool.submit`."""
        attempts = 1 + (self._retries if retries is None else retries)
        self._put(_NEW, _Job(key, item, attempts))
        self.pending += 1
        if self._unused and len(self._serving) - self._n_unavailable < self.pending:
            self._begin(self._unused.pop(0))

    def _take(self, timeout_s: float | None) -> Outcome[Result]:
        while True:
            try:
                outcome = self._outcomes.get(timeout=timeout_s)
            except queue.Empty:
                raise TimeoutError("no outcome in time") from None
            if isinstance(outcome, Outcome):
                return outcome
            if not isinstance(outcome, UnavailableError):
                raise outcome
            self._replace(outcome)

    def close(self) -> None:
        """End all workers: at once those that are busy."""
        self._closed = True
        atexit.unregister(self._kill)
        for _ in self._serving:
            self._put(_END, None)
        left = {worker for worker in list(self._starting) if worker.keep}
        for worker in {*self._busy, *self._starting} - left:
            worker.close(at_once=True)
        for thread, worker in self._serving:
            if worker not in left:
                thread.join(_JOIN_S)

    def _kill(self) -> None:
        """End all workers as the interpreter ends."""
        self._closed = True
        for worker in self._begun:
            worker.close(at_once=True)

    def _put(self, urgency: int, job: _Job | None) -> None:
        self._jobs.put((urgency, next(self._order), job))

    def _begin(self, worker: Worker) -> None:
        self._begun.append(worker)
        thread = threading.Thread(target=self._serve, args=(worker,), daemon=True)
        self._serving.append((thread, worker))
        thread.start()

    def _replace(self, error: UnavailableError) -> None:
        """Go on with fewer workers, or with the one that is there instead."""
        self._n_unavailable += 1
        if self._n_unavailable < len(self._serving):
            return
        if self._unused:
            self._begin(self._unused.pop(0))
        elif self._instead is not None:
            logger.warning(
                "worker processes cannot be started; continuing in this process"
            )
            self._begin(self._instead())
        else:
            raise RunError(f"{self._label}: no worker is left ({error}).")

    def _serve(self, worker: Worker) -> None:
        """Give items to a worker until the pool is closed or the worker cannot be had."""
        try:
            self._start(worker)
            while (job := self._jobs.get()[2]) is not None and not self._closed:
                if self._run(worker, job) and not self._closed:
                    self._start(worker)
        except Exception as error:  # noqa: BLE001 - raised by `next`
            self._outcomes.put(error)
        finally:
            worker.close(at_once=False)

    def _start(self, worker: Worker) -> None:
        with _member(worker, self._starting):
            worker.start()

    def _run(self, worker: Worker, job: _Job) -> bool:
        """Have one item worked on; return whether the worker died of it."""
        try:
            item = dumps(self._load(job.item) if self._load else job.item)
            with _member(worker, self._busy):
                self._outcomes.put(Outcome(job.key, worker.run(item)))
        except LostError as error:
            self._lose(job, str(error))
            return True
        except Exception as error:  # noqa: BLE001 - raised by `next`
            self._outcomes.put(Outcome(job.key, None, exception=error))
        self._deaths = 0
        return False

    def _lose(self, job: _Job, reason: str) -> None:
        """Have an item done again whose worker died, or give it up."""
        if self._closed:
            return
        job.attempts -= 1
        self._deaths += 1
        if self._deaths > _DEATHS + self.n_workers:
            error = RunError(
                f"{self._label}: {self._deaths} workers died in a row without any result (last: "
                f"{reason}). Look for killed processes (memory) and start the same command "
                "with fewer workers; what is finished is kept."
            )
            self._outcomes.put(error)
        elif job.attempts:
            logger.warning("%s: a worker died (%s); once more", self._label, reason)
            self._put(_AGAIN, job)
        else:
            logger.warning("%s: a worker died (%s)", self._label, reason)
            self._outcomes.put(Outcome(job.key, None, reason))


@contextmanager
def _member(worker: Worker, workers: set[Worker]) -> Iterator[None]:
    workers.add(worker)
    try:
        yield
    finally:
        workers.discard(worker)
