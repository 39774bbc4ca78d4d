"""Seconds that add up over calls in a file, whatever ends them: what budgets are spent by."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json, write_json

HEARTBEAT_S = 2.0


@contextmanager
def clock(path: Path, share: float = 1.0) -> Iterator[None]:
    """Add the seconds spent inside to a file, every `HEARTBEAT_S` and at the end.

    A kill loses at most that. One process at a time writes a file.

    Args:
        path: JSON; its folder is made.
        share: Of the seconds to count, where several processes share a machine.
    """
    before, started, ended = spent_s(path), time.monotonic(), threading.Event()

    def write() -> None:
        seconds = before + share * (time.monotonic() - started)
        write_json(path, {"seconds": round(seconds, 2)})

    def beat() -> None:
        while not ended.wait(HEARTBEAT_S):
            with suppress(OSError):  # the last one says so
                write()

    path.parent.mkdir(parents=True, exist_ok=True)
    thread = threading.Thread(target=beat, name="clock")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        write()


def spent_s(path: Path) -> float:
    """Return the seconds a file holds; 0 without it.

    Raises:
        RunError: It is damaged.
    """
    if not path.exists():
        return 0.0
    try:
        return float(read_json(path)["seconds"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{path} is damaged (expected seconds); delete it: the time spent is then counted "
            "from now on."
        ) from error
