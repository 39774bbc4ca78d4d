"""The median rule, which ends trials that fall behind (Golovin et al. 2017, 3.1.1)."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.tune.study import Study

_CURVES = 5  # completed trials before it stops any


class MedianRule:
    """What a trial must reach by each epoch, from the completed ones."""

    def __init__(self, study: Study) -> None:
        """Take the study, which says whether the rule holds and after how many epochs."""
        self._study = study
        self._curves: list[NDArray[np.float64]] = []  # running means of the objective

    def limits(self) -> list[float | None]:
        """Return per epoch what a trial's best value must reach; empty stops none.

        The median, over completed trials, of the mean of their values up to that epoch.
        """
        after = self._study.median_after
        if after is None or len(self._curves) < _CURVES:
            return []
        longest = max(map(len, self._curves))
        curves = [np.pad(one, (0, longest - len(one)), "edge") for one in self._curves]
        medians = np.median(np.stack(curves), axis=0)
        return [
            None if epoch < after else float(median)
            for epoch, median in enumerate(medians, start=1)
        ]

    def add(self, history: pd.DataFrame) -> None:
        """Take the running mean of the objective, of a trial's first seed."""
        if history.empty:
            return
        first = history[history["seed"] == history["seed"].iloc[0]]
        curve = first[self._study.objective].to_numpy(float)
        means = [np.mean(curve[:n]) for n in range(1, len(curve) + 1)]
        self._curves.append(np.array(means))
