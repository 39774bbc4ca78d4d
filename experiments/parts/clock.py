"""The hours of an experiment, over all its calls: what `--budget-hours` is spent by."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kerasfaces import runs

_HEARTBEAT_S = 20.0


@contextmanager
def clock(folder: Path) -> Iterator[None]:
    """Add the seconds spent inside to `folder/clock.json`, now and then and at the end.

    A kill loses at most `_HEARTBEAT_S`.
    """
    before, started, ended = spent_s(folder), time.monotonic(), threading.Event()

    def write() -> None:
        seconds = round(before + time.monotonic() - started, 1)
        runs.write_json(folder / "clock.json", {"seconds": seconds})

    def beat() -> None:
        while not ended.wait(_HEARTBEAT_S):
            write()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        write()


def spent_s(folder: Path) -> float:
    """Return the seconds spent training here, in all calls together."""
    path = folder / "clock.json"
    return float(runs.read_json(path)["seconds"]) if path.exists() else 0.0


def total_s(folder: Path) -> float:
    """Return the seconds spent here and by every experiment in a folder of its own here."""
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    return spent_s(folder) + sum(spent_s(each) for each in inside if each.is_dir())
