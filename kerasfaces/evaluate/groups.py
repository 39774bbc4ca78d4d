"""Does a group fare differently from the rest, or can these rows not tell?"""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from kerasfaces.core import rng
from kerasfaces.evaluate import slices
from kerasfaces.metrics import combined, holm, p_value, rate
from kerasfaces.metrics.inputs import Bools
from kerasfaces.run import predictions
from kerasfaces.run.operating_point import OperatingPoint

ALPHA = 0.05
_LEAST = 5  # below so many rows of a class, a group's rate is an anecdote


@dataclasses.dataclass(frozen=True)
class Group:
    """One value of a column against all its other values.

    Attributes:
        value: The group.
        n_real: Its readable reals.
        n_fake: Its readable fakes.
        on: Classes compared: `real and fake`, `real`, `fake`, or `` when nothing can be.
        difference: Accuracy of the group minus that of the rest, classes weighted alike.
        low: 95 % limit (Newcombe), not corrected for the number of groups.
        high: 95 % limit.
        p_holm: p-value, corrected for the number of groups of the column (Holm).
        distinguishable: Whether that is below .05.
    """

    value: str
    n_real: int
    n_fake: int
    on: str
    difference: float
    low: float
    high: float
    p_holm: float
    distinguishable: bool

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        values = dataclasses.asdict(self)
        return {key: None if value != value else value for key, value in values.items()}


def compare(frame: pd.DataFrame, column: str, point: OperatingPoint) -> list[Group]:
    """Compare every group of a column with the rest, at the frozen threshold.

    Args:
        frame: Predictions of one split, with scores.
        column: `source` or an attribute; rows without a value take no part.
        point: The frozen operating point.
    """
    rows = predictions.readable(frame)
    rows = rows[rows[column] != ""]
    fake = (rows["label"] == "fake").to_numpy()
    right = (rows["score"].to_numpy() >= point.threshold) == fake
    cells = rows[column].to_numpy()
    names = slices.values(rows, column)
    found = [_difference(value, cells == value, fake, right) for value in names]
    testable = [index for index, group in enumerate(found) if group.on]
    # With two groups both lines are one and the same comparison.
    corrected = [found[index].p_holm for index in testable]
    if len(names) > 2:
        corrected = holm(corrected)
    for index, p in zip(testable, corrected, strict=True):
        found[index] = dataclasses.replace(
            found[index], p_holm=p, distinguishable=p < ALPHA
        )
    return found


def sample(
    frame: pd.DataFrame, column: str, point: OperatingPoint, n: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Return each group's accuracy over `n` of its rows drawn at random (kabber2023).

    Args:
        frame: Predictions of one split, with scores.
        column: `source` or an attribute.
        point: The frozen operating point.
        n: Rows to draw per group, without replacement; a smaller group gives them all.
        seed: Keys the draw; the order of the rows does not matter.
    """
    rows = predictions.readable(frame).sort_values("path", kind="stable")
    fake = (rows["label"] == "fake").to_numpy()
    right = (rows["score"].to_numpy() >= point.threshold) == fake
    found = {}
    for value in slices.values(rows, column):
        members = np.flatnonzero((rows[column] == value).to_numpy())
        drawn = rng.generator(seed, "sample", column, value).permutation(members)[:n]
        estimate = rate(int(right[drawn].sum()), drawn.size)
        found[value] = {
            "n": int(drawn.size),
            "n_real": int((~fake[drawn]).sum()),
            "n_fake": int(fake[drawn].sum()),
            "accuracy": estimate.to_dict(),
        }
    return found


def _difference(value: str, mask: Bools, fake: Bools, right: Bools) -> Group:
    rates, names = [], []
    for name, outcome in (("real", False), ("fake", True)):
        inside, outside = mask & (fake == outcome), ~mask & (fake == outcome)
        if min(inside.sum(), outside.sum()) >= _LEAST:
            rates += [
                (int(right[part].sum()), int(part.sum())) for part in (inside, outside)
            ]
            names.append(name)
    counts = int((mask & ~fake).sum()), int((mask & fake).sum())
    if not names:
        nan = float("nan")
        return Group(value, *counts, "", nan, nan, nan, nan, False)
    weights = [1 / len(names), -1 / len(names)] * len(names)
    limits = combined(rates, weights)
    return Group(
        value, *counts, " and ".join(names), *limits, p_value(rates, weights), False
    )
