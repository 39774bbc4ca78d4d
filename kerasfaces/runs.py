"""Files that are never half-written, and folders with one writer at a time.

Everything the stages write goes through here: a temporary name in the same folder, a
flush to disk, a rename.
"""

import atexit
import contextlib
import functools
import importlib.metadata
import json
import math
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kerasfaces import config as configs
from kerasfaces import machine, numerics
from kerasfaces.errors import LockedError, MissingFileError, RunError
from kerasfaces.texts import quoted

_LINE = 160  # characters of a difference in a message
_PACKAGES = (
    "kerasfaces",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "jax",
    "numpy",
    "pillow",
    "openvino",
    "onnxruntime",
    "scikit-learn",
)


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


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, newlines as given."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, value: Any) -> None:
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


@contextmanager
def lock(
    folder: Path, what: str = "run folder", *, wait: bool = False
) -> Iterator[None]:
    """Hold the only writer's lock on `folder`; it dies with the process.

    Args:
        folder: Made if need be.
        what: For the message.
        wait: Wait for another process that holds it instead of failing.

    Raises:
        LockedError: Another live process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ".lock"  # which holds the writer's number
    holder = ""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(machine.exclusive(file, wait=wait))
        except TimeoutError as error:
            with contextlib.suppress(OSError):  # Windows: a locked file is not read
                holder = file.read_text().strip()
            raise LockedError(
                f"{folder}: another process (pid {holder or 'unknown'}) is writing this "
                f"{what}; wait for it, or choose another folder."
            ) from error
        with contextlib.suppress(OSError):
            file.write_text(str(os.getpid()))
        _remove_left_over(folder)
        yield


def _remove_left_over(folder: Path) -> None:
    """Remove what killed processes were writing; see `atomic_path`."""
    for path in folder.glob(".*.tmp*"):
        owner = re.fullmatch(r"\..+\.(\d+)\.tmp(\.[^.]*)?", path.name)
        if owner and not machine.is_running(int(owner[1])):
            _remove(path)


def claim(
    folder: Path,
    file: str,
    own: dict[str, Any],
    what: str,
    early: Collection[str] = (),
    completed: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> None:
    """Write the file that says what a folder holds, or check that it is this.

    Args:
        folder: The caller holds its lock.
        file: E.g. `config.json`.
        own: Its content: everything that decides what comes out.
        what: It is, for messages, e.g. `run`.
        early: What is there before the work itself begins. A folder that holds no more is
            taken over and these are removed: a mistyped option claims nothing.
        completed: Gives an older file what it lacks.

    Raises:
        RunError: The folder holds something else.
    """
    # Hidden: the lock, and what a killed process was writing.
    held = {each.name for each in folder.iterdir() if each.name[0] != "."}
    if held and file not in held:
        raise RunError(
            f"{folder} is not empty and holds no {what} (it holds {quoted(min(held))}); choose "
            "another folder with -o."
        )
    old = read_json(folder / file) if held else own
    if not isinstance(old, dict):
        raise RunError(f"{folder / file} holds no object; restore or delete it.")
    changed = configs.diff(completed(old), own)
    if changed and not held <= {file, *early}:
        shown = "; ".join(line[:_LINE] for line in changed[:6])
        raise RunError(
            f"{folder} holds another {what} ({shown}); choose another folder with -o, or "
            "repeat the old command to continue it."
        )
    if changed:
        for name in held - {file}:
            _remove(folder / name)
    if changed or not held:
        write_json(folder / file, own)


def environment() -> dict[str, Any]:
    """Return what this process runs on: versions (nothing is imported), cores, backend."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cpu_count": os.cpu_count(),
        "packages": versions,
        "keras_backend": numerics.backend(),
        "threads": numerics.n_threads(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        value = value.item()  # a NumPy scalar
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
