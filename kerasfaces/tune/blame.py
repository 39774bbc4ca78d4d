"""Whose mistake is an exception: the study file's author's, or ours?

A study is its user's own Python. What breaks on a line of it is told in one sentence with
that line; what breaks in our code alone stays a traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import kerasfaces
from kerasfaces.core.errors import InputError, KerasfacesError

_OURS = Path(kerasfaces.__file__).parent.resolve()
_PASSING = (MemoryError, OSError)  # the machine's, not the file's


@contextmanager
def study_code() -> Iterator[None]:
    """Turn what a user's study raises into an InputError that names file and line.

    Raises:
        InputError: The study's own line failed.
    """
    try:
        yield
    except (KerasfacesError, *_PASSING):
        raise
    except Exception as error:
        where = _line(error)
        if where is None:
            raise
        raise InputError(
            f"{where}: {type(error).__name__}: {error}; mend the study and run it again."
        ) from error


def _line(error: BaseException) -> str | None:
    """Return `file, line n` of the last line of a study that the error went through."""
    found, step = None, error.__traceback__
    while step is not None:
        path = Path(step.tb_frame.f_code.co_filename)
        if step.tb_frame.f_globals.get("__name__", "").startswith("tuning."):
            found = (
                None
                if _OURS in path.resolve().parents
                else f"{path}, line {step.tb_lineno}"
            )
        step = step.tb_next
    return found
