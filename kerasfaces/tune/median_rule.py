"""Which trials are hopeless: the median rule of Google Vizier (Golovin et al. 2017, 3.1.1).

A trial stops when its best value so far is worse than the median, over completed trials,
of the mean of their values up to the same epoch.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_CURVES = 5  # completed trials before any is stopped


class MedianRule:
    """The medians that a trial is compared with."""

    def __init__(self, after: int | None) -> None:
        """Know no trial yet.

        Args:
            after: Epochs that every trial has; None stops no trial.
        """
        self._after = after
        self._means: list[NDArray[np.float64]] = []

    def add(self, curve: Sequence[float]) -> None:
        """Take the objective after each epoch of a completed trial."""
        if self._after is not None and curve:
            n_epochs = range(1, len(curve) + 1)
            self._means.append(np.array([np.mean(curve[:n]) for n in n_epochs]))

    def limits(self) -> list[float | None]:
        """Return per epoch what a trial's best value must reach; empty stops none."""
        if self._after is None or len(self._means) < _CURVES:
            return []
        longest = max(map(len, self._means))
        means = [np.pad(one, (0, longest - len(one)), "edge") for one in self._means]
        medians = np.median(np.stack(means), axis=0)
        return [
            None if epoch < self._after else float(median)
            for epoch, median in enumerate(medians, start=1)
        ]


def is_hopeless(
    values: Sequence[float], limits: Sequence[float | None], sign: float
) -> bool:
    """Tell whether a trial must stop.

    Args:
        values: Its objective after each epoch so far.
        limits: Of `MedianRule`.
        sign: 1 where more is better, -1 where less is.
    """
    limit = limits[min(len(values), len(limits)) - 1] if limits else None
    return limit is not None and max(sign * v for v in values) < sign * limit
