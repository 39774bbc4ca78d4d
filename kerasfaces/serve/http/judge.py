"""Pictures of many requests -> answers, a bounded number at a time."""

import asyncio
import math
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from kerasfaces.serve.answer import Answer, Options, answer_all
from kerasfaces.serve.background import Background
from kerasfaces.serve.contract import Detecting, facts_of
from kerasfaces.serve.exported import ExportedDetector
from kerasfaces.serve.http.batching import Batched
from kerasfaces.serve.http.measures import Measures
from kerasfaces.serve.http.refusals import Refusal
from kerasfaces.serve.http.settings import Settings
from kerasfaces.serve.pictures import Named, digest, too_many_pixels

_LONGEST_S = 60  # that a client is asked to wait
_WEIGHT = 0.1  # of the newest picture in the mean time of one


class Abandoned(Exception):
    """Nobody waits for this answer any more."""


class Judge:
    """A detector at work for all requests of a service."""

    def __init__(
        self,
        settings: Settings,
        detector: Detecting,
        background: Background | None = None,
    ) -> None:
        """Start its threads."""
        self.settings, self.measures = settings, Measures()
        self._background = background or Background.of(detector)
        self._detector = Batched(detector, self.measures.batch.observe)
        self._pool = ThreadPoolExecutor(settings.n_workers, "judge")
        self._lock = threading.Lock()
        self._pending = self._bytes = 0
        self._seconds = 0.1  # per picture, of all workers together
        self.measures.pending.set_function(lambda: self._pending)

    @classmethod
    def open(cls, settings: Settings) -> "Judge":
        """Open the run that the settings name, its engine warm; see `ExportedDetector.open`."""
        detector = ExportedDetector.open(
            settings.run, engine=settings.runtime, keras=settings.keras
        )
        detector.warm()
        return cls(settings, detector)

    @property
    def is_ready(self) -> bool:
        """Whether pictures can be judged."""
        return self._detector.is_alive

    @property
    def facts(self) -> dict[str, str]:
        """Name, version and engine of the detector."""
        return facts_of(self._detector)

    @contextmanager
    def body_budget(self) -> "Iterator[BodyBudget]":
        """Count the bytes of a body for as long as its request lasts.

        Refusal where the queue is full already: nothing of the body need be read.
        """
        if self._pending >= self.settings.queue:
            raise self._full()
        budget = BodyBudget(self)
        try:
            yield budget
        finally:
            self.add_bytes(-budget.n_bytes)

    def add_bytes(self, count: int) -> None:
        """Count bytes of bodies in memory; Refusal where there would be too many."""
        with self._lock:
            if count > 0 and self._bytes + count > self.settings.bytes_in_flight:
                raise self._full()
            self._bytes += count

    async def answers(
        self, pictures: Sequence[Named], options: Options
    ) -> list[Answer]:
        """Return the answers to the pictures of one request, in order.

        Refusal where the queue is full, or they take too long.
        """
        with self._lock:
            if self._pending + len(pictures) > self.settings.queue:
                raise self._full()
            self._pending += len(pictures)
        abandoned = threading.Event()
        jobs = [
            self._pool.submit(self._answer, picture, options, abandoned)
            for picture in pictures
        ]
        for job in jobs:
            job.add_done_callback(self._done)
        try:
            async with asyncio.timeout(self.settings.answer_s):
                return [await asyncio.wrap_future(job) for job in jobs]
        except TimeoutError as error:
            raise Refusal(
                503,
                f"the answer took longer than {self.settings.answer_s:g} s; send fewer "
                "pictures at a time, or the same later",
                retry_s=self._wait_s(),
            ) from error
        finally:
            abandoned.set()
            for job in jobs:
                job.cancel()

    def close(self) -> None:
        """Answer what was accepted, then end the threads."""
        self._pool.shutdown(wait=True)
        self._detector.close()

    def _answer(
        self, picture: Named, options: Options, abandoned: threading.Event
    ) -> Answer:
        if abandoned.is_set():
            raise Abandoned
        started = time.monotonic()
        answer = self._too_large(picture)
        if answer is None:
            (answer,) = answer_all(
                [picture], self._detector, options, background=self._background
            )
        mean_s = (time.monotonic() - started) / self.settings.n_workers
        self._seconds += _WEIGHT * (mean_s - self._seconds)
        self.measures.verdicts.labels(answer.verdict).inc()
        return answer

    def _too_large(self, picture: Named) -> Answer | None:
        """Return the answer to a picture with more pixels than are decoded here."""
        data = picture.source
        if not isinstance(data, bytes):
            return None
        reason = too_many_pixels(data, self.settings.megapixels)
        if not reason:
            return None
        return Answer(
            name=picture.name, sha256=digest(data), reason=reason, detector=self.facts
        )

    def _done(self, job: "Future[Answer]") -> None:
        with self._lock:
            self._pending -= 1

    def _wait_s(self) -> int:
        return min(_LONGEST_S, max(1, math.ceil(self._pending * self._seconds)))

    def _full(self) -> Refusal:
        return Refusal(
            429,
            f"{self._pending} pictures wait already; send it again in {self._wait_s()} s",
            retry_s=self._wait_s(),
        )


class BodyBudget:
    """Bytes of one request's body."""

    def __init__(self, judge: Judge) -> None:
        """Begin with none."""
        self._judge, self.n_bytes = judge, 0

    def add(self, count: int) -> None:
        """Count more of them; Refusal where there are too many of all requests."""
        self._judge.add_bytes(count)
        self.n_bytes += count
