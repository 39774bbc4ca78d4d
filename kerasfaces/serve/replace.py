"""A folder that appears whole, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kerasfaces.core import folders


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `target` when all went well.

    It is hidden beside `target`; what a killed process left there is removed.

    Raises:
        LockedError: Another process is writing it.
    """
    part = target.with_name(f".{target.name}.part")
    old = target.with_name(f".{target.name}.old")
    with folders.lock(part, "export"):
        for each in part.iterdir():
            if each.name != folders.LOCK:
                folders.remove(each)
        folders.remove(old)
        try:
            yield part
            for file in part.rglob("*"):
                if file.is_file():
                    with file.open("rb+") as opened:
                        os.fsync(opened.fileno())
            (part / folders.LOCK).unlink()
            if target.exists():
                target.rename(old)
            part.rename(target)
        except BaseException:
            folders.remove(part)
            raise
        folders.remove(old)
