"""The seconds of a study's trials, over all calls and workers: what `budget_h` is spent by.

Each worker keeps a clock in the study's folder while it has a trial, so that a trial that is
running counts, and one that a kill cut off, but for its last seconds (see `clock`).
"""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from kerasfaces.core import clock
from kerasfaces.tune.records import Trial

_FOLDER = "clocks"


def clock_of(study: Path, worker: str) -> Path:
    """Return the file of a worker's clock; its name may hold anything."""
    return study / _FOLDER / f"{quote(worker, safe='')}.json"


def spent_s(study: Path, ended: Iterable[Trial]) -> float:
    """Return the seconds spent; of workers that share a machine, those of its clock.

    Args:
        study: The study's folder.
        ended: Its trials that are over: older studies have no clocks.
    """
    clocked_s = sum(
        clock.spent_s(path) for path in sorted((study / _FOLDER).glob("*.json"))
    )
    return max(clocked_s, float(sum(each.seconds / each.workers for each in ended)))
