"""Is a score of .8 the same promise in every group?

A group's offset is its mean score minus its share of fakes, both classes weighing as they do
among all images that have the attribute: groups of another mix of real and fake are then
compared by their scores, not by that mix.
"""

from itertools import combinations
from statistics import NormalDist

import numpy as np
import pandas as pd

from kerasfaces.core.files import Json
from kerasfaces.metrics import Estimate
from kerasfaces.metrics.intervals import LEVEL, undefined

_LEAST = 10  # images of a class below which a mean score has no interval
_METHOD = "normal, mean scores of reals and fakes weighed as among all"


def add(content: Json, rows: pd.DataFrame, cells: pd.Series, values: list[str]) -> None:
    """Add each group's `calibration` offset and the largest gap between two groups.

    Args:
        content: Of an attribute, with its `groups`.
        rows: Readable predictions of images with a label.
        cells: `(n,)` their groups.
        values: Groups to compare.
    """
    fake = (rows["label"] == "fake").to_numpy()
    order = np.argsort(
        rows["score"].to_numpy(), kind="stable"
    )  # sums are then the same
    rows, cells, fake = rows.iloc[order], cells.iloc[order], fake[order]
    scores = rows["score"].to_numpy()
    share = float(fake.mean()) if len(fake) else 0.0
    offsets = {}
    for value in values:
        inside = (cells == value).to_numpy()
        sides = [(1 - share, scores[inside & ~fake]), (share, scores[inside & fake])]
        if min(side.size for _, side in sides) < _LEAST:
            continue
        offset = sum(weight * float(side.mean()) for weight, side in sides) - share
        variance = sum(w**2 * float(side.var(ddof=1)) / side.size for w, side in sides)
        offsets[value] = offset, variance
        half = _quantile(LEVEL) * np.sqrt(variance)
        estimate = Estimate(offset, offset - half, offset + half, _METHOD)
        content["groups"][value]["calibration"] = estimate.to_dict()
    content["calibration_gap"] = _largest(list(offsets.values())).to_dict()


def _largest(offsets: list[tuple[float, float]]) -> Estimate:
    """Return the largest difference of two offsets, with limits that hold for all pairs."""
    pairs = list(combinations(offsets, 2))
    if not pairs:
        return undefined(f"fewer than two groups with {_LEAST} reals and fakes")
    quantile = _quantile(1 - (1 - LEVEL) / len(pairs))
    gaps = [(abs(a - b), quantile * float(np.sqrt(v + w))) for (a, v), (b, w) in pairs]
    value = max(gap for gap, _ in gaps)
    low = max(0.0, max(gap - half for gap, half in gaps))
    high = max(gap + half for gap, half in gaps)
    return Estimate(value, low, high, f"simultaneous, {len(pairs)} pairs")


def _quantile(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
