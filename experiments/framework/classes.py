"""Four outcomes -> precision, recall and F1 of the class `real`, and means over classes.

Ours are of `fake` everywhere; some documents print `real`'s, or both.
"""

import math
from typing import Any

import numpy as np

from experiments.framework.rows import Measured
from kerasfaces.core import rng
from kerasfaces.metrics import Confusion, rate
from kerasfaces.metrics.bootstrap import RESAMPLES, rate_draws
from kerasfaces.metrics.intervals import percentiles


def class_report(c: Confusion, row: str, metric: str) -> Measured:
    """Return a number of class `real`, or the unweighted mean of both classes.

    Args:
        c: The outcomes.
        row: `real` or `overall`.
        metric: `precision`, `recall`, `f1` or `support`.
    """
    n = c.n_real if row == "real" else c.n
    if metric == "support":
        return Measured(value=float(n), n=n)
    if (row, metric) == ("real", "recall"):
        return Measured.of(rate(c.passes, n).to_dict(), c.n)
    generator = rng.generator(0, "table 5", row, metric)
    hits = rate_draws(c.hits, c.n_fake, RESAMPLES, generator)
    alarms = rate_draws(c.alarms, c.n_real, RESAMPLES, generator)
    drawn = _value(hits * c.n_fake, alarms * c.n_real, c, row, metric)
    value = float(_value(np.array(c.hits), np.array(c.alarms), c, row, metric))
    if not math.isfinite(value):
        return Measured(value=value, n=c.n)
    low, high = percentiles(drawn[np.isfinite(drawn)], value)
    return Measured(value=value, low=low, high=high, n=c.n)


def _value(hits: Any, alarms: Any, c: Confusion, row: str, metric: str) -> Any:
    """Return precision, recall or F1 of `real`, or the mean of both classes' (overall)."""
    misses, passes = c.n_fake - hits, c.n_real - alarms
    with np.errstate(invalid="ignore", divide="ignore"):
        real, fake = {
            "precision": (passes / (passes + misses), hits / (hits + alarms)),
            "recall": (passes / c.n_real, hits / c.n_fake),
            "f1": (
                2 * passes / (2 * passes + misses + alarms),
                2 * hits / (2 * hits + misses + alarms),
            ),
        }[metric]
    return real if row == "real" else (real + fake) / 2
