"""Folders with one writer at a time, each of which says what it holds."""

import contextlib
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from kerasfaces.core import config as configs
from kerasfaces.core import machine
from kerasfaces.core.errors import LockedError, RunError
from kerasfaces.core.files import Json, read_json, write_json
from kerasfaces.core.texts import quoted

LOCK = ".lock"
_LINE = 160  # characters of a difference in a message


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
    file = folder / LOCK  # which holds the writer's number
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
    """Remove what killed processes were writing here and below; see `atomic_path`.

    A folder below that has a lock of its own is left to its own writer.
    """
    for place, below, names in os.walk(folder):
        if Path(place) != folder and LOCK in names:
            below.clear()
            continue
        for name in (*below, *names):
            owner = re.fullmatch(r"\..+\.(\d+)\.tmp(\.[^.]*)?", name)
            if owner and not machine.is_running(int(owner[1])):
                remove(Path(place, name))


def claim(
    folder: Path, file: str, own: Json, what: str, early: Collection[str] = ()
) -> None:
    """Write the file that says what a folder holds, or check that it is this.

    Args:
        folder: The caller holds its lock.
        file: E.g. `config.json`.
        own: Its content: everything that decides what comes out.
        what: It is, for messages, e.g. `run`.
        early: What is there before the work itself begins. A folder that holds no more is
            taken over and these are removed: a mistyped option claims nothing.

    Raises:
        RunError: The folder holds something else.
    """
    # Hidden: the lock, and what a killed process was writing.
    names = {each.name for each in folder.iterdir() if each.name[0] != "."}
    if names and file not in names:
        raise RunError(
            f"{folder} is not empty and holds no {what} (it holds {quoted(min(names))}); choose "
            "another folder."
        )
    old = read_json(folder / file) if names else own
    if not isinstance(old, dict):
        raise RunError(f"{folder / file} holds no object; restore or delete it.")
    changed = configs.diff(old, own)
    if changed and not names <= {file, *early}:
        shown = "; ".join(line[:_LINE] for line in changed[:6])
        raise RunError(
            f"{folder} holds another {what} ({shown}); choose another folder with `output`, or repeat "
            "the old command to continue it."
        )
    if changed:
        for name in names - {file}:
            remove(folder / name)
    if changed or not names:
        write_json(folder / file, own)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
