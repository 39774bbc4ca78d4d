"""Resampled differences of two systems -> interval and p-value: one rule for all tests."""

import dataclasses
import math

import numpy as np

from kerasfaces.metrics.inputs import Floats
from kerasfaces.metrics.intervals import Estimate, percentiles

COUNTABLE = 10  # draws beyond zero below which their number says too little
_SAME = 1e-12  # rounding of means of metrics between 0 and 1
_NO_INTERVAL = "no interval: resamples do not vary"


@dataclasses.dataclass(frozen=True)
class Difference:
    """A metric of system A minus that of system B.

    Attributes:
        estimate: The difference with its 95 % interval.
        p_value: Two-sided, of no difference; see `p_of_draws`.
    """

    estimate: Estimate
    p_value: float


def from_draws(
    drawn: Floats, value: float, n: int, method: str, *, alike: bool
) -> Difference:
    """Return a difference with its percentile interval and p-value.

    Without an interval, as no resample differs from another, the p-value is that of
    `p_of_draws`; of two systems that are perfect in different ways it is NaN.

    Args:
        drawn: `(resamples,)` differences.
        value: The difference itself.
        n: Images of the smaller class.
        method: How the draws were made.
        alike: Whether the systems cannot differ on any draw.
    """
    p_value = p_of_draws(drawn, value, n)
    if alike or _varies(drawn):
        return Difference(Estimate(value, *percentiles(drawn, value), method), p_value)
    if abs(value) <= _SAME:
        p_value = math.nan
    return Difference(Estimate(value, math.nan, math.nan, _NO_INTERVAL), p_value)


def p_of_draws(drawn: Floats, value: float, n: int) -> float:
    """Return the two-sided p-value of no difference, from a bootstrap's differences.

    Draws beyond zero are counted where there are ten. Where there are fewer, their number
    is chance itself (none gives 2 / (resamples + 1), which no correction over more than 25
    tests leaves below .05): p is then the tail of a normal distribution with the draws'
    spread, and no more than ten draws would give. Where a system is nearly perfect that
    tail is on the safe side, as DeLong's test is. Where no draw differs from another, every
    image speaks for one system: the sign test's 2 / 2**n.

    Args:
        drawn: `(resamples,)` differences.
        value: The difference itself.
        n: Images of the smaller class.
    """
    if not _varies(drawn):
        return 1.0 if abs(value) <= _SAME else min(1.0, 2.0 ** (1 - n))
    beyond = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    counted = 2 * (max(int(beyond), COUNTABLE) + 1) / (drawn.size + 1)
    if beyond >= COUNTABLE:
        return min(1.0, counted)
    tail = math.erfc(abs(value) / float(drawn.std()) / math.sqrt(2))
    return min(1.0, counted, tail)


def _varies(drawn: Floats) -> bool:
    return bool(np.ptp(drawn) > _SAME)
