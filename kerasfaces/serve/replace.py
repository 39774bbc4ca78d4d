"""A folder that appears whole, or not at all."""

import os
import shutil
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
            if each.name != ".lock":
                _remove(each)
        _remove(old)
        try:
            yield part
            for file in part.rglob("*"):
                if file.is_file():
                    with file.open("rb+") as opened:
                        os.fsync(opened.fileno())
            (part / ".lock").unlink()
            if target.exists():
                target.rename(old)
            part.rename(target)
        except BaseException:
            _remove(part)
            raise
        _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
