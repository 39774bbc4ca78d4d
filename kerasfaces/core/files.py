"""Files that are never half-written: a temporary name, a flush to disk, a rename."""

import atexit
import functools
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasfaces.core.errors import MissingFileError, RunError

if TYPE_CHECKING:
    import pandas as pd

Json = dict[str, Any]  # the object that a JSON file holds


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success flush it and rename it there.

    On any error the temporary file is removed and `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept because some writers choose their format by it.
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    remove = functools.partial(temporary.unlink, missing_ok=True)
    atexit.register(remove)  # an interrupted command unwinds nothing
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:  # such as a full disk: says whose file it was to be
        if error.errno is not None and error.filename in (None, str(temporary)):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        remove()
        atexit.unregister(remove)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, newlines as given."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Write strict JSON atomically; NaN and infinities become null."""
    write_text(path, json.dumps(_finite(value), indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        MissingFileError: The file does not exist.
        RunError: It is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingFileError(f"{path} does not exist.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(
            f"{path} is not valid JSON ({error}); restore or delete it."
        ) from error


def read_table(
    path: Path, dtype: Mapping[str, type] | type | None = None
) -> "pd.DataFrame":
    """Read a CSV file that a stage wrote: only an empty cell is a gap, NA may be a name.

    Args:
        path: The file.
        dtype: Column -> type, or that of all columns, where it is not to be guessed.

    Raises:
        MissingFileError: The file does not exist.
        RunError: It is no table.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, dtype=dtype, keep_default_na=False, na_values=[""])
    except FileNotFoundError as error:
        raise MissingFileError(f"{path} does not exist.") from error
    except ValueError as error:  # pandas' own errors are, too
        why = " ".join(str(error).split())
        raise RunError(f"{path} is damaged ({why}); restore or delete it.") from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        value = value.item()  # a NumPy scalar
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
