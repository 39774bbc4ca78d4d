"""Does a group fare differently from the rest, or can these rows not tell?"""

import math

import numpy as np
import pandas as pd

from kerasfaces.core import rng
from kerasfaces.core.files import Json
from kerasfaces.evaluate import slices
from kerasfaces.metrics import combined, holm, p_value, rate
from kerasfaces.metrics.inputs import Bools
from kerasfaces.run import predictions
from kerasfaces.run.operating_point import OperatingPoint

ALPHA = 0.05
LEAST = 5  # below so many rows of a class, a group's rate is an anecdote


def compare(frame: pd.DataFrame, column: str, point: OperatingPoint) -> list[Json]:
    """Compare every group of a column with the rest, at the frozen threshold.

    `column` is `source` or an attribute; rows without a value take no part.

    Returns:
        Per group `value`, `n_real` and `n_fake` (readable images), `on` (classes compared:
        `real and fake`, `real`, `fake`, or `` when nothing can be), `difference` (accuracy
        of the group minus that of the rest, classes weighted alike) with its 95 % limits
        `low` and `high` (Newcombe, not corrected for the number of groups), `p_holm`
        (corrected for it) and `distinguishable`, whether that is below .05.
    """
    rows = predictions.readable(frame)
    rows = rows[rows[column] != ""]
    fake, right = _calls(rows, point)
    cells = rows[column].to_numpy()
    groups: list[Json] = []
    for value in slices.values(rows, column):
        mask = cells == value
        rates = {}
        for label, own in (("real", ~fake), ("fake", fake)):
            parts = right[mask & own], right[~mask & own]
            if min(map(len, parts)) >= LEAST:
                rates[label] = [(int(part.sum()), part.size) for part in parts]
        counts = [pair for pairs in rates.values() for pair in pairs]
        weights = [1 / len(rates), -1 / len(rates)] * len(rates) if rates else []
        difference, low, high = combined(counts, weights) if rates else (None,) * 3
        groups.append(
            {
                "value": value,
                "n_real": int((mask & ~fake).sum()),
                "n_fake": int((mask & fake).sum()),
                "on": " and ".join(rates),
                "difference": difference,
                "low": low,
                "high": high,
                "p_holm": p_value(counts, weights) if rates else math.nan,
            }
        )
    p_values = [group["p_holm"] for group in groups]
    if len(groups) > 2:  # with two groups both lines are one and the same comparison
        p_values = holm(p_values)
    for group, p in zip(groups, p_values, strict=True):
        group["p_holm"] = None if math.isnan(p) else p
        group["distinguishable"] = p < ALPHA
    return groups


def sample(
    frame: pd.DataFrame, column: str, point: OperatingPoint, n: int, seed: int
) -> dict[str, Json]:
    """Return each group's accuracy over `n` of its rows drawn at random (kabber2023).

    Rows are drawn without replacement, whatever their order; a smaller group gives them all.
    """
    rows = predictions.readable(frame).sort_values("path", kind="stable")
    fake, right = _calls(rows, point)
    groups = {}
    for value in slices.values(rows, column):
        members = np.flatnonzero((rows[column] == value).to_numpy())
        drawn = rng.generator(seed, "sample", column, value).permutation(members)[:n]
        groups[value] = {
            "n": int(drawn.size),
            "n_real": int((~fake[drawn]).sum()),
            "n_fake": int(fake[drawn].sum()),
            "accuracy": rate(int(right[drawn].sum()), drawn.size).to_dict(),
        }
    return groups


def _calls(rows: pd.DataFrame, point: OperatingPoint) -> tuple[Bools, Bools]:
    """Return which rows are fake and which were called what they are."""
    fake = (rows["label"] == "fake").to_numpy()
    return fake, (rows["score"].to_numpy() >= point.threshold) == fake
