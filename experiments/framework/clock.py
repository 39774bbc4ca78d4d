"""The hours of an experiment, over all its calls: what `--budget-hours` is spent by."""

from contextlib import AbstractContextManager
from pathlib import Path

from kerasfaces.core import clock as clocks

_FILE = "clock.json"


def clock(folder: Path) -> AbstractContextManager[None]:
    """Add the seconds spent inside to `folder/clock.json`; a kill loses two at most."""
    return clocks.clock(folder / _FILE)


def spent_s(folder: Path) -> float:
    """Return the seconds spent training here, in all calls together."""
    return clocks.spent_s(folder / _FILE)


def total_s(folder: Path) -> float:
    """Return the seconds spent here and by every experiment in a folder of its own here."""
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    return spent_s(folder) + sum(spent_s(each) for each in inside if each.is_dir())
