"""Intervals of AUC and AP where so few pairs are out of order that a bootstrap deceives.

With 50 + 50 images and a true AUC of .99 the percentile bootstrap's "95 %" interval
holds it 83 times in 100, at .998 71 times, and at an observed 1.0 it is a point. There
we use Newcombe's score interval (Newcombe 2006, Statistics in Medicine 25:559, method
5), which held it 98 times, and carry it over to AP by the same model of the scores.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from kerasfaces.metrics.intervals import LEVEL, Estimate

_ENOUGH = 5.0  # the usual rule for a proportion: n p and n (1 - p) of at least 5
METHOD_AUC = "Newcombe (2006), as too few pairs are out of order for a bootstrap"
METHOD_AP = "carried over from the AUC's Newcombe interval by its exponential model"


def applies(auc: float, n_real: int, n_fake: int) -> bool:
    """Return whether too few pairs are out of (or in) order for a bootstrap."""
    return min(n_real, n_fake) * min(auc, 1 - auc) < _ENOUGH


def auc_interval(
    auc: float, n_real: int, n_fake: int, level: float = LEVEL
) -> Estimate:
    """Return the score interval: every AUC whose own variance explains the observed one."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = (n_real + n_fake) / 2 - 1

    def plausible(a: float) -> bool:
        shared = 1 + half * ((1 - a) / (2 - a) + a / (1 + a))
        return abs(auc - a) <= z * math.sqrt(a * (1 - a) * shared / (n_real * n_fake))

    low = _edge(plausible, auc, 0.0) if auc > 0 else 0.0
    high = _edge(plausible, auc, 1.0) if auc < 1 else 1.0
    return Estimate(auc, low, high, METHOD_AUC)


def ap_interval(
    ap: float,
    auc: Estimate,
    n_real: int,
    n_fake: int,
    bootstrapped: tuple[float, float],
) -> Estimate:
    """Return AP's interval: AP moves as the model's AP moves over the AUC's interval.

    Args:
        ap: Average precision.
        auc: From `auc_interval`.
        n_real: Number of reals.
        n_fake: Number of fakes.
        bootstrapped: The bootstrap's limits, which may only be widened.
    """
    share = n_fake / (n_real + n_fake)
    at = _model_ap(auc.value, share)
    low = ap - (at - _model_ap(auc.low, share))
    high = ap + (_model_ap(auc.high, share) - at)
    return Estimate(
        ap,
        max(0.0, min(low, bootstrapped[0], ap)),
        min(1.0, max(high, bootstrapped[1], ap)),
        METHOD_AP,
    )


def _edge(plausible: Callable[[float], bool], inside: float, outside: float) -> float:
    """Bisect between the observed value and the end of the scale."""
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if plausible(middle) else (inside, middle)
    return outside


def _model_ap(auc: float, share: float) -> float:
    """Return AP when false alarms F and recall T obey 1 - F = (1 - T) ** ((1 - AUC) / AUC).

    Of the two exponential models with a given AUC, the one with the lower AP.
    """
    if auc <= 0:
        return 0.0
    recall = (np.arange(2000) + 0.5) / 2000
    alarms = 1 - (1 - recall) ** ((1 - auc) / auc)
    return float((share * recall / (share * recall + (1 - share) * alarms)).mean())
