"""Systems on the same rows: is their difference more than chance?

All systems see the same resamples, drawn within each class, and one rule makes intervals
and p-values of the resampled differences. They are drawn in the order of the rows, so that
order changes an interval by the bootstrap's own noise.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import NotRequired

import numpy as np
from numpy.typing import ArrayLike

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.metrics.inputs import Bools, Floats, as_ranked, as_scored
from kerasfaces.metrics.intervals import Estimate, EstimateJson, percentiles
from kerasfaces.metrics.orders import Counts, Order, once, ranks, resampled

_COUNTABLE = 10  # draws beyond zero below which their number says too little
_SAME = 1e-12  # rounding of means of metrics between 0 and 1


class DifferenceJson(EstimateJson):
    """A difference in JSON; None where it is not defined."""

    p: float | None
    p_holm: NotRequired[float | None]  # corrected, where several are tested


@dataclasses.dataclass(frozen=True)
class Difference:
    """A metric of system A minus that of system B.

    Attributes:
        estimate: The difference with its 95 % interval.
        p_value: Two-sided, of no difference; see `p_of_draws`.
    """

    estimate: Estimate
    p_value: float

    def to_dict(self) -> DifferenceJson:
        """Return the estimate and `p` as JSON types; NaN becomes None."""
        p = None if math.isnan(self.p_value) else self.p_value
        one = self.estimate.to_dict()
        return {
            "value": one["value"],
            "low": one["low"],
            "high": one["high"],
            "method": one["method"],
            "p": p,
        }


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
    why = "no interval: resamples do not vary"
    return Difference(Estimate(value, math.nan, math.nan, why), p_value)


def p_of_draws(drawn: Floats, value: float, n: int) -> float:
    """Return the two-sided p-value of no difference, from a bootstrap's differences.

    Draws beyond zero are counted where there are ten. Where there are fewer, their number
    is chance itself (none gives 2 / (resamples + 1), which no correction over more than 25
    tests leaves below .05): p is then the tail of a normal distribution with the draws'
    spread, and no more than ten draws would give. Where a system is nearly perfect that
    tail is on the safe side, as DeLong's test is. Where no draw differs from another, every
    image speaks for one system: the sign test's 2 / 2**n. For the arguments see
    `from_draws`.
    """
    if not _varies(drawn):
        return 1.0 if abs(value) <= _SAME else min(1.0, 2.0 ** (1 - n))
    beyond = beyond_zero(drawn)
    counted = 2 * (max(beyond, _COUNTABLE) + 1) / (drawn.size + 1)
    if beyond >= _COUNTABLE:
        return min(1.0, counted)
    tail = math.erfc(abs(value) / float(drawn.std()) / math.sqrt(2))
    return min(1.0, counted, tail)


def auc_difference(
    labels: ArrayLike,
    logits_a: ArrayLike,
    logits_b: ArrayLike,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Return the AUC of system A minus that of B.

    Args:
        labels: `(n,)`; 1 or `fake` is positive.
        logits_a: `(n,)` finite, system A.
        logits_b: `(n,)` finite, system B, on the same rows in the same order.
        resamples: Bootstrap resamples.
        seed: Keys the resamples.

    Raises:
        InputError: NaN, other labels, other lengths, or only one class.
    """
    fake, a = as_ranked(labels, logits_a, "logits_a")
    _, b = as_scored(fake, logits_b, "logits_b")
    systems = [[_statistic("auc", fake, logits)] for logits in (a, b)]
    alike = np.array_equal(ranks(a), ranks(b))
    return _difference_of_means(fake, systems, resamples, seed, alike=alike)


def repeated_difference(
    metric: str,
    labels: ArrayLike,
    logits_a: ArrayLike,
    logits_b: ArrayLike,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Compare two systems that were trained with several seeds, by their mean metric.

    The interval holds for these seeds.

    Args:
        metric: `auc`, `accuracy` (at logit 0) or `loss` (mean cross-entropy).
        labels: `(n,)`; 1 or `fake` is positive.
        logits_a: `(seeds, n)` finite, system A.
        logits_b: `(seeds, n)` finite, system B; perhaps another number of seeds.
        resamples: Bootstrap resamples.
        seed: Keys the resamples.

    Raises:
        InputError: An unknown metric, NaN, other labels, other lengths, or one class.
    """
    sides = {"logits_a": np.atleast_2d(logits_a), "logits_b": np.atleast_2d(logits_b)}
    fake, _ = as_ranked(labels, sides["logits_a"][0], "logits_a")
    systems = [
        [_statistic(metric, fake, as_scored(fake, row, name)[1]) for row in side]
        for name, side in sides.items()
    ]
    return _difference_of_means(fake, systems, resamples, seed)


def _statistic(
    metric: str, fake: Bools, logits: Floats
) -> Callable[[Counts, Counts], Floats]:
    """Return a function from counts of reals and fakes to `(k,)` values."""
    if metric == "auc":
        return Order(logits[~fake], logits[fake]).auc
    if metric == "accuracy":
        each = ((logits > 0) == fake).astype(np.float64)
    elif metric == "loss":
        each = np.logaddexp(0.0, logits) - fake * logits
    else:
        raise InputError(
            f"metric: expected auc, accuracy or loss, got {quoted(metric)}."
        )
    real_part, fake_part = each[~fake], each[fake]
    return lambda reals, fakes: np.asarray(
        (reals @ real_part + fakes @ fake_part) / fake.size
    )


def _difference_of_means(
    fake: Bools,
    systems: Sequence[Sequence[Callable[[Counts, Counts], Floats]]],
    resamples: int,
    seed: int,
    alike: bool | None = None,
) -> Difference:
    """Compare two systems by the mean of their trainings' statistics.

    Without `alike` they are, where the means are equal (in another order of the seeds).
    """
    sides = int((~fake).sum()), int(fake.sum())
    parts = []
    for counts in resampled(*sides, resamples, rng.generator(seed, "paired")):
        a, b = (
            np.mean([statistic(*counts) for statistic in system], axis=0)
            for system in systems
        )
        parts.append(a - b)
    counts = once(*sides)
    a, b = (
        float(np.mean([statistic(*counts)[0] for statistic in system]))
        for system in systems
    )
    method = f"paired stratified bootstrap, {resamples} resamples"
    if alike is None:
        alike = math.isclose(a, b, abs_tol=_SAME)
    return from_draws(np.concatenate(parts), a - b, min(sides), method, alike=alike)


def beyond_zero(drawn: Floats) -> int:
    """Return how many draws lie on the side of zero where fewer do."""
    return int(min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0)))


def _varies(drawn: Floats) -> bool:
    return bool(np.ptp(drawn) > _SAME)
