"""What users may give where a path is expected."""

from __future__ import annotations

import os
from pathlib import Path

from kerasfaces.core.errors import InputError

PathLike = str | os.PathLike[str]


def as_path(path: PathLike | None) -> Path | None:
    """Return a path where there is one."""
    return None if path is None else Path(path)


def require_path(value: object, expected: str) -> None:
    """Refuse what is no path, such as a table or a list.

    Raises:
        InputError: `expected`, and the type that was given.
    """
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"{expected}, got {type(value).__name__}.")
