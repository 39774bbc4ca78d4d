"""Code of a user's study: its mistakes are sentences that name its file and line.

Imports no framework.
"""

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kerasfaces.core.errors import InputError, KerasfacesError


def place_of(function: object) -> str:
    """Return `FILE, line N: ` of a study's function, to put before a sentence about it."""
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}, line {code.co_firstlineno}: " if code else ""


def check_arguments(name: str, function: Callable[..., object], *given: str) -> None:
    """Refuse a function of a study that cannot be called with what it is given."""
    try:
        inspect.signature(function).bind(*given)
    except TypeError as error:
        raise InputError(
            f"{place_of(function)}{name}: {error}; define {name}({', '.join(given)})."
        ) from error


@contextmanager
def study_code(path: Path | None = None) -> Iterator[None]:
    """Turn what a line of a user's study raises into an InputError that names the line.

    What breaks in our code alone keeps its traceback.

    Args:
        path: Named in front of messages that do not name the study's line.

    Raises:
        InputError: The study's own line failed, or ended the process.
    """
    try:
        yield
    except (KerasfacesError, MemoryError, OSError) as error:
        if not isinstance(error, InputError):  # the last two are the machine's
            raise
        lines = _lines(error)
        place = lines[-1] if lines else path
        if place is None or f"{Path(place).name}, line" in str(error):
            raise
        raise InputError(f"{place}: {error}") from error
    except (Exception, SystemExit) as error:
        lines = _lines(error)
        if not lines:
            raise
        raise InputError(
            f"{lines[-1]}: {type(error).__name__}: {error}; mend the study and run it again."
        ) from error


def _lines(error: BaseException) -> list[str]:
    """Return `FILE, line N` of the lines of a study that an error went through."""
    return [
        f"{frame.f_code.co_filename}, line {line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").startswith("tuning.")
    ]
