"""What runs on a worker: a task, its outcome, and how errors travel."""

import pickle
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from kerasfaces.core import logs
from kerasfaces.core.errors import KerasfacesError

Item = TypeVar("Item")
Result = TypeVar("Result")
ItemIn = TypeVar("ItemIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)


class Task(Protocol[ItemIn, ResultOut]):
    """A picklable object or module-level function of one item."""

    def __call__(self, item: ItemIn, /) -> ResultOut:
        """Return the result of one item, which depends on nothing else."""


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What became of an item.

    Attributes:
        key: Its position or name.
        value: What the task returned; None if there is an error.
        error: Why it has no value, as its workers died; empty if it has one.
        exception: What the task raised; `next` and `map` raise it.
    """

    key: int | str
    value: Result | None
    error: str = ""
    exception: Exception | None = None


@dataclass(frozen=True)
class Chunked(Generic[Item, Result]):
    """Runs a task over several items."""

    task: Callable[[Item], Result]

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        """Return the result of every item, in order."""
        return [self.task(item) for item in items]

    def close(self) -> None:
        """Close the task, if it can be."""
        close(self.task)


def close(task: object) -> None:
    """Call a task's `close`, if it has one: it may hold helper processes."""
    if hasattr(task, "close"):
        task.close()


class Runner:
    """A task on its worker: bytes in, bytes out, whatever goes wrong.

    Example:
        >>> run = Runner(pickle.dumps(abs))
        >>> result_of(run(pickle.dumps(-2)))
        2
    """

    def __init__(self, task: bytes) -> None:
        """Unpickle the task; an error is the answer to every item."""
        self._task: Any = None
        self._error: Exception | None = None
        try:
            self._task = pickle.loads(task)
        except Exception as error:  # noqa: BLE001 - raised in the driver
            self._error = _travelling(error)

    def __call__(self, item: bytes) -> bytes:
        """Return an item's pickled result or error, and what was logged meanwhile."""
        with logs.kept() as records:
            try:
                if self._error is not None:
                    raise self._error
                result = self._task(pickle.loads(item))
                return dumps((True, result, records))
            except Exception as error:  # noqa: BLE001 - raised in the driver
                return dumps((False, _travelling(error), records))

    def close(self) -> None:
        """Close the task."""
        close(self._task)


def dumps(value: object) -> bytes:
    """Return a value's pickle."""
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def result_of(answer: bytes, where: str = "") -> Any:
    """Return the result in a runner's answer; log here what was logged there.

    Args:
        answer: Bytes of our own workers, which we trust with running our code.
        where: Put before the message of a user's mistake.

    Raises:
        Exception: What the task raised.
    """
    good, value, records = pickle.loads(answer)
    logs.log_again(records)
    if good:
        return value
    if where and isinstance(value, KerasfacesError):
        raise type(value)(f"{where}: {value}") from value
    raise value


def _travelling(error: Exception) -> Exception:
    """Return an error that can be pickled, with its traceback as a note."""
    trace = traceback.format_exc()
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - an error with arguments of its own
        error = RuntimeError(f"{type(error).__name__}: {error}")
    if trace not in getattr(error, "__notes__", []):
        error.add_note(trace)
    return error
