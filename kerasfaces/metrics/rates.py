"""Metrics at a threshold that was frozen elsewhere: an image is called fake at or above it."""

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike

from kerasfaces.metrics.inputs import as_scored


@dataclasses.dataclass(frozen=True)
class Confusion:
    """How many images were called what.

    Attributes:
        hits: Fakes called fake.
        misses: Fakes called real.
        alarms: Reals called fake.
        passes: Reals called real.
    """

    hits: int
    misses: int
    alarms: int
    passes: int

    @property
    def n_fake(self) -> int:
        """Number of fakes."""
        return self.hits + self.misses

    @property
    def n_real(self) -> int:
        """Number of reals."""
        return self.alarms + self.passes

    @property
    def n(self) -> int:
        """Number of images."""
        return self.n_fake + self.n_real


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> Confusion:
    """Count the four outcomes of `score >= threshold`.

    Args:
        labels: `(n,)`; 1 or `fake` is positive.
        scores: `(n,)` finite.
        threshold: Given, never fitted to these rows.

    Raises:
        InputError: NaN or other labels.
    """
    fake, values = as_scored(labels, scores, "scores")
    called = values >= threshold
    hits = int(np.count_nonzero(called & fake))
    alarms = int(np.count_nonzero(called)) - hits
    n_fake = int(np.count_nonzero(fake))
    return Confusion(hits, n_fake - hits, alarms, fake.size - n_fake - alarms)


def accuracy(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Return the share of right calls; NaN without images (see `confusion`)."""
    c = confusion(labels, scores, threshold)
    return _share(c.hits + c.passes, c.n)


def balanced_accuracy(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Return the mean of the two classes' rates of right calls; NaN with one class."""
    c = confusion(labels, scores, threshold)
    return (_share(c.hits, c.n_fake) + _share(c.passes, c.n_real)) / 2


def precision(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Return the share of fakes among what was called fake; NaN when nothing was."""
    c = confusion(labels, scores, threshold)
    return _share(c.hits, c.hits + c.alarms)


def recall(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Return the share of fakes called fake; NaN without fakes."""
    c = confusion(labels, scores, threshold)
    return _share(c.hits, c.n_fake)


def tpr_at_fpr(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Return recall at a threshold set, on validation, for a given false-alarm rate.

    The threshold is an argument on purpose: reading it off these rows' own ROC curve
    would be choosing it on test.
    """
    return recall(labels, scores, threshold)


def f1(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Return 2 hits / (2 hits + alarms + misses); NaN with one class."""
    c = confusion(labels, scores, threshold)
    if not c.n_fake or not c.n_real:
        return math.nan
    return _share(2 * c.hits, 2 * c.hits + c.alarms + c.misses)


def false_alarm_rate(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Return the share of reals called fake; NaN without reals."""
    c = confusion(labels, scores, threshold)
    return _share(c.alarms, c.n_real)


def miss_rate(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Return the share of fakes called real; NaN without fakes."""
    c = confusion(labels, scores, threshold)
    return _share(c.misses, c.n_fake)


def _share(count: int, n: int) -> float:
    return count / n if n else math.nan
