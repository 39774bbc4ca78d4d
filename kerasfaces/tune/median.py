"""When is a trial hopeless: the median rule of Google Vizier (Golovin et al. 2017, 3.1.1).

A trial stops when its best value so far is worse than the median, over all completed
trials, of the mean of their values up to the same epoch.
"""

import numpy as np

from kerasfaces.tune.study import Study

_ENOUGH = 5  # completed trials before anyone is stopped


class Curves:
    """The objective after each epoch, of completed and of running trials."""

    def __init__(self, study: Study) -> None:
        self._after = study.median_after
        self._sign = 1.0 if study.direction == "max" else -1.0
        self._done: dict[str, list[float]] = {}
        self._running: dict[str, dict[int, float]] = {}

    def add(self, trial_id: str, curve: list[float]) -> None:
        """Remember a completed trial."""
        self._running.pop(trial_id, None)
        if self._after is not None and curve:
            self._done[trial_id] = curve

    def report(self, trial_id: str, epoch: int, value: float) -> bool:
        """Take a running trial's value after `epoch` (from 1); tell whether to stop it."""
        if self._after is None:
            return False
        seen = self._running.setdefault(trial_id, {})
        seen[epoch] = self._sign * value
        others = [
            self._sign * float(np.mean(curve[:epoch])) for curve in self._done.values()
        ]
        if epoch < self._after or len(others) < _ENOUGH:
            return False
        return max(seen.values()) < float(np.median(others))
