"""What takes items as they come; one that works on them in this process."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from kerasfaces.core.engine.tasks import Outcome, Task, close

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool(ABC, Generic[Item, Result]):
    """Takes items and gives outcomes in the order in which they are finished.

    Attributes:
        n_workers: How many items can be worked on at a time.
        pending: Number of items that are submitted and not returned by `next`.
    """

    n_workers = 1
    pending = 0

    @abstractmethod
    def submit(self, key: int | str, item: Item, *, retries: int | None = None) -> None:
        """Have an item worked on.

        Args:
            key: Names its outcome.
            item: Pickled and sent when a worker is free.
            retries: Further attempts if its worker dies; None is the pool's.
        """

    def next(self, timeout_s: float | None = None) -> Outcome[Result]:
        """Return the next outcome.

        Args:
            timeout_s: How long to wait for one; None waits as long as it takes.

        Raises:
            TimeoutError: There was none in time.
            LookupError: No item is pending.
            Exception: What the task raised.
        """
        outcome = self.take(timeout_s)
        if outcome.exception is not None:
            raise outcome.exception
        return outcome

    def take(self, timeout_s: float | None = None) -> Outcome[Result]:
        """Return the next outcome, which may hold an exception; see `next`."""
        if not self.pending:
            raise LookupError("no item is pending")
        outcome = self._take(timeout_s)
        self.pending -= 1
        return outcome

    @abstractmethod
    def _take(self, timeout_s: float | None) -> Outcome[Result]:
        """Return the next outcome."""

    @abstractmethod
    def close(self) -> None:
        """End all workers: at once those that are busy."""


class InProcess(Pool[Item, Result]):
    """A pool that works in this process, when it is asked for an outcome."""

    def __init__(
        self, task: Task[Any, Result], load: Callable[[Item], Any] | None = None
    ) -> None:
        self._task, self._load = task, load
        self._items: deque[tuple[int | str, Item]] = deque()

    def submit(self, key: int | str, item: Item, *, retries: int | None = None) -> None:
        """Keep an item for `next`."""
        self._items.append((key, item))
        self.pending += 1

    def _take(self, timeout_s: float | None) -> Outcome[Result]:
        """Work on the oldest item, however long that takes."""
        key, item = self._items.popleft()
        try:
            loaded = self._load(item) if self._load else item
            return Outcome(key, self._task(loaded))
        except Exception as error:  # noqa: BLE001 - raised by `next`
            return Outcome(key, None, exception=error)

    def close(self) -> None:
        """Close the task."""
        close(self._task)
