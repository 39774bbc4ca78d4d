"""Two systems on the same rows: is the difference in AUC more than chance?"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.metrics.bootstrap import RESAMPLES, draw_counts
from kerasfaces.metrics.draws import Difference, from_draws
from kerasfaces.metrics.inputs import Bools, Floats, as_labels, as_scored
from kerasfaces.metrics.ranking import auc, both_classes

_CHUNK_ELEMENTS = 2**18


def auc_difference(
    labels: ArrayLike,
    logits_a: ArrayLike,
    logits_b: ArrayLike,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Compare two systems by a paired, stratified bootstrap: both see the same draws.

    Args:
        labels: `(n,)`; 1 or `fake` is positive.
        logits_a: `(n,)` finite, system A.
        logits_b: `(n,)` finite, system B, on the same rows in the same order.
        resamples: Bootstrap resamples.
        seed: Keys the resamples. They are drawn in the order of the rows, so that order
            changes the interval by the bootstrap's own noise.

    Raises:
        InputError: NaN, other labels, other lengths, or only one class.
    """
    fake, a = both_classes(*as_scored(labels, logits_a, "logits_a"))
    _, b = as_scored(labels, logits_b, "logits_b")
    as_labels(fake, b.size)
    value = auc(fake, a) - auc(fake, b)
    drawn = _resampled(fake, a, b, resamples, rng.generator(seed, "paired"))
    method = f"paired stratified bootstrap, {resamples} resamples"
    n = smaller_class(fake)
    return from_draws(drawn, value, n, method, alike=_same_ranking(a, b))


def repeated_difference(
    metric: str,
    labels: ArrayLike,
    logits_a: ArrayLike,
    logits_b: ArrayLike,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Compare two systems that were trained with several seeds, by their mean metric.

    A paired, stratified bootstrap over images; the interval holds for these seeds.

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
    sides = [np.atleast_2d(np.asarray(values)) for values in (logits_a, logits_b)]
    fake, _ = both_classes(*as_scored(labels, sides[0][0], "logits_a"))
    means = []
    for side, name in zip(sides, ("logits_a", "logits_b"), strict=True):
        rows = [as_scored(fake, row, name)[1] for row in side]
        means.append([_statistic(metric, fake, row) for row in rows])
    generator = rng.generator(seed, "paired")
    n_fake, n_real = int(fake.sum()), int((~fake).sum())
    chunk = int(np.clip(_CHUNK_ELEMENTS // max(n_fake, n_real), 1, resamples))
    parts = []
    for start in range(0, resamples, chunk):
        k = min(chunk, resamples - start)
        counts = draw_counts(n_real, k, generator), draw_counts(n_fake, k, generator)
        first, second = (
            np.mean([statistic(*counts) for statistic in side], axis=0)
            for side in means
        )
        parts.append(first - second)
    drawn = np.concatenate(parts)
    once = np.ones((1, n_real), np.int64), np.ones((1, n_fake), np.int64)
    a, b = (float(np.mean([each(*once)[0] for each in side])) for side in means)
    method = f"paired stratified bootstrap, {resamples} resamples"
    same = math.isclose(a, b, abs_tol=1e-12)  # on average, in another order of seeds
    return from_draws(drawn, a - b, smaller_class(fake), method, alike=same)


def _statistic(metric: str, fake: Bools, logits: Floats) -> Callable[..., Floats]:
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

    def mean(reals: NDArray[np.int64], fakes: NDArray[np.int64]) -> Floats:
        total: Floats = (reals @ real_part + fakes @ fake_part) / fake.size
        return total

    return mean


def smaller_class(fake: Bools) -> int:
    """Return the number of images of the smaller class."""
    return min(int(fake.sum()), int((~fake).sum()))


def _same_ranking(a: Floats, b: Floats) -> bool:
    first, second = (np.unique(values, return_inverse=True)[1] for values in (a, b))
    return np.array_equal(first, second)


def _resampled(
    fake: Bools, a: Floats, b: Floats, resamples: int, generator: np.random.Generator
) -> Floats:
    n_fake, n_real = int(fake.sum()), int((~fake).sum())
    systems = [Order(values[~fake], values[fake]) for values in (a, b)]
    chunk = int(np.clip(_CHUNK_ELEMENTS // max(n_fake, n_real), 1, resamples))
    parts = []
    for start in range(0, resamples, chunk):
        k = min(chunk, resamples - start)
        reals, fakes = (
            draw_counts(n_real, k, generator),
            draw_counts(n_fake, k, generator),
        )
        first, second = (system.auc(reals, fakes) for system in systems)
        parts.append(first - second)
    return np.concatenate(parts)


class Order:
    """How one system ranks the fakes among the reals."""

    def __init__(self, real: Floats, fake: Floats) -> None:
        self.order = np.argsort(real, kind="stable")
        self.below = np.searchsorted(real[self.order], fake, "left")
        self.upto = np.searchsorted(real[self.order], fake, "right")

    def auc(self, reals: NDArray[np.int64], fakes: NDArray[np.int64]) -> Floats:
        """Return AUCs `(k,)` of counts `(k, n_real)` and `(k, n_fake)`; NaN without pairs."""
        k, n_real = reals.shape
        cumulative = np.zeros((k, n_real + 1), dtype=np.int64)
        np.cumsum(reals.take(self.order, axis=1), axis=1, out=cumulative[:, 1:])
        beaten = cumulative.take(self.below, axis=1) + cumulative.take(
            self.upto, axis=1
        )
        won = np.einsum("kn,kn->k", beaten, fakes).astype(np.float64)
        pairs = cumulative[:, -1] * fakes.sum(axis=1)
        with np.errstate(invalid="ignore"):  # 0 / 0 where a class was not drawn
            return np.asarray(won / (2.0 * pairs), dtype=np.float64)
