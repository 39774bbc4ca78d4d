"""The median rule, which ends trials that fall behind (Golovin et al. 2017, 3.1.1)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_CURVES = 5  # completed trials before it stops any
Curve = NDArray[np.float64]


def curve_of(history: pd.DataFrame, objective: str) -> Curve:
    """Return the running mean of a trial's objective, `(epochs,)`, of its first seed."""
    first = history[history["seed"] == history["seed"].iloc[0]]
    values = first[objective].to_numpy(float)
    return np.array([np.mean(values[:n]) for n in range(1, len(values) + 1)])


def limits(curves: Sequence[Curve], after: int | None) -> list[float | None]:
    """Return per epoch what a trial's best value must reach; empty stops none.

    The median, over completed trials, of the mean of their values up to that epoch; None
    in the first epochs, which are less than `after`.
    """
    if after is None or len(curves) < _CURVES:
        return []
    longest = max(map(len, curves))
    padded = [np.pad(one, (0, longest - len(one)), "edge") for one in curves]
    medians = np.median(np.stack(padded), axis=0)
    return [
        None if epoch < after else float(median)
        for epoch, median in enumerate(medians, start=1)
    ]
