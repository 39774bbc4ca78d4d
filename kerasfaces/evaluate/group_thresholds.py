"""What if every group had a threshold of its own? Never applied, only counted.

Each group's threshold is set on validation, so that its false alarms there are no more than
those of everybody at the frozen one; what that does is measured on the split reported.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kerasfaces.core.files import Json
from kerasfaces.metrics import confusion, rate
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.run import predictions
from kerasfaces.run.operating_point import OperatingPoint

_LEAST = 20  # validation reals that a group's own threshold needs


def what_if(
    validation: pd.DataFrame | None,
    frame: pd.DataFrame,
    column: str,
    values: Sequence[str],
    point: OperatingPoint,
) -> Json:
    """Return errors with the frozen threshold and with one per group, or why not.

    Args:
        validation: Predictions of validation; None where they are not at hand.
        frame: Predictions to measure on.
        column: The attribute.
        values: Its groups.
        point: Frozen on validation.

    Returns:
        `why_not`, or `allowed` (false alarms on validation) and, for each group and `all` of
        them, `threshold`, and `false_alarm_rate` and `miss_rate`, each `frozen` and `own`.
    """
    if validation is None or column not in validation:
        return {"why_not": "validation's predictions with this attribute are not here"}
    known = predictions.readable(validation)
    known = known[(known["label"] == "real") & (known[column] != "")]
    reals = {
        value: known.loc[known[column] == value, "score"].to_numpy() for value in values
    }
    small = [value for value, scores in reals.items() if scores.size < _LEAST]
    if small or len(values) < 2:
        few = f"{', '.join(small)}: fewer than {_LEAST} real images in validation"
        return {"why_not": few if small else "there is one group"}
    allowed = point.false_alarm_rate
    own = {value: _threshold(scores, allowed) for value, scores in reals.items()}
    rows = predictions.readable(frame)
    rows = rows[rows[column].isin(values)]
    thresholds = rows[column].map(own).to_numpy(dtype=np.float64)
    scores = rows["score"].to_numpy()
    frozen, above = scores >= point.threshold, scores >= thresholds
    groups = {}
    for value in (*values, "all"):
        inside = (rows[column] == value).to_numpy() | (value == "all")
        part = rows[inside]
        groups[value] = {
            "threshold": own.get(value),
            "frozen": _rates(part, frozen[inside]),
            "own": _rates(part, above[inside]),
        }
    return {"allowed": allowed, "groups": groups}


def _threshold(scores: Floats, allowed: float) -> float:
    """Return the lowest threshold with at most that share of reals at or above it."""
    n = int(np.floor(allowed * scores.size + 1e-9))
    if n >= scores.size:
        return 0.0
    return float(np.nextafter(np.sort(scores)[::-1][n], np.inf))


def _rates(rows: pd.DataFrame, called: Bools) -> Json:
    c = confusion(rows["label"], called.astype(np.float64), 1.0)
    return {
        "false_alarm_rate": rate(c.alarms, c.n_real, "no real images").to_dict(),
        "miss_rate": rate(c.misses, c.n_fake, "no fake images").to_dict(),
    }
