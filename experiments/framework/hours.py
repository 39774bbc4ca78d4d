"""Hours of training in the folders of experiments, all calls together."""

from contextlib import AbstractContextManager
from pathlib import Path

from kerasfaces.core import clock as clocks


def clock(folder: Path) -> AbstractContextManager[None]:
    """Add the seconds spent inside to `folder/clock.json`; a kill loses two at most."""
    return clocks.clock(folder / "clock.json")


def spent_s(folder: Path) -> float:
    """Return the seconds of training in an experiment's folder, in all calls together."""
    return clocks.spent_s(folder / "clock.json")


def total_s(folder: Path) -> float:
    """Return the seconds of a folder and of every experiment in a folder of its own."""
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    return spent_s(folder) + sum(spent_s(path) for path in inside if path.is_dir())
