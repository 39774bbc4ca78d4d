"""When is a trial hopeless: the median rule of Google Vizier (Golovin et al. 2017, 3.1.1).

A trial stops when its best value so far is worse than the median, over all completed
trials, of the mean of their values up to the same epoch.
"""

from pathlib import Path

import numpy as np

from kerasfaces.tune import records
from kerasfaces.tune.study import Study

_ENOUGH = 5  # completed trials before anyone is stopped


class Curves:
    """The objective after each epoch of the completed trials."""

    def __init__(self, study: Study) -> None:
        self._after, self._objective = study.median_after, study.objective
        self._sign = 1.0 if study.direction == "max" else -1.0
        self._done: list[list[float]] = []

    def add(self, folder: Path, trial: records.Trial) -> None:
        """Remember a completed trial of the study in `folder`."""
        if self._after is None:
            return
        if curve := records.curve(folder, trial, self._objective):
            self._done.append(curve)

    def hopeless(self, epoch: int, best: float) -> bool:
        """Tell whether a trial whose best value up to `epoch` (from 1) is this must stop."""
        if self._after is None or epoch < self._after or len(self._done) < _ENOUGH:
            return False
        others = [float(np.mean(curve[:epoch])) for curve in self._done]
        return self._sign * best < self._sign * float(np.median(others))
