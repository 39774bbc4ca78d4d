"""Calibration: Platt's sigmoid, and how far scores are from being probabilities."""

import dataclasses
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.metrics.inputs import Bools, Floats, as_ranked, as_scored, as_values

ECE_BINS = 15
_ROUNDING = 1e-6  # of a float32 logit that went through a network, relative


@dataclasses.dataclass(frozen=True)
class Platt:
    """`score = sigmoid(a * logit + b)`.

    Attributes:
        a: Slope.
        b: Offset.
    """

    a: float
    b: float

    def log_odds(self, logits: ArrayLike) -> Floats:
        """Return calibrated log-odds `(n,)` of finite logits `(n,)`."""
        return self.a * as_values(logits, "logits") + self.b

    def __call__(self, logits: ArrayLike) -> Floats:
        """Return scores `(n,)` in 0..1 of finite logits `(n,)`."""
        return sigmoid(self.log_odds(logits))


class Reliability(NamedTuple):
    """Scores against outcomes, in bins of equal width.

    Attributes:
        n: `(bins,)` int64, images.
        n_fake: `(bins,)` int64, fakes among them.
        mean_score: `(bins,)` float64; NaN for an empty bin.
    """

    n: NDArray[np.int64]
    n_fake: NDArray[np.int64]
    mean_score: Floats


def sigmoid(values: Floats) -> Floats:
    """Return 1 / (1 + exp(-values)) without overflow."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1.0, small) / (1.0 + small)


def fit_platt(labels: ArrayLike, logits: ArrayLike) -> Platt:
    """Fit Platt's sigmoid (Platt 1999) by Newton's method (Lin, Lin & Weng 2007).

    The targets are `(n_fake + 1) / (n_fake + 2)` and `1 / (n_real + 2)` instead of 1 and
    0, so classes that are perfectly separated still get a finite slope.

    Args:
        labels: `(n,)`; 1 or `fake` is positive.
        logits: `(n,)` finite.

    Raises:
        InputError: NaN, other labels, or only one class.
    """
    fake, values = as_ranked(labels, logits)
    centre, spread = float(values.mean()), float(values.std())
    n_fake = int(fake.sum())
    # A constant logit tells nothing, nor does one that differs by float32's rounding.
    if spread <= max(1e-12, _ROUNDING * abs(centre)):
        prior = (n_fake + 1) / (fake.size + 2)
        return Platt(0.0, float(np.log(prior / (1 - prior))))
    target = np.where(fake, (n_fake + 1) / (n_fake + 2), 1 / (fake.size - n_fake + 2))
    a, b = _newton((values - centre) / spread, target)
    return Platt(a / spread, b - a * centre / spread)


def ece(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the expected calibration error over 15 bins of equal width (Guo et al. 2017).

    `sum over bins of |n_fake - sum of scores| / n`. It is biased upwards when there are
    few images per bin.

    Args:
        labels: `(n,)`; 1 or `fake` is positive.
        scores: `(n,)` in 0..1.

    Raises:
        InputError: NaN, other labels, scores outside 0..1, or no rows.
    """
    fake, values = _probabilities(labels, scores)
    gaps = np.bincount(bin_of(values, ECE_BINS), fake - values, ECE_BINS)
    return float(np.abs(gaps).sum() / values.size)


def brier(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the mean squared difference of score and outcome (Brier 1950).

    For the arguments see `ece`.
    """
    fake, values = _probabilities(labels, scores)
    return float(((values - fake) ** 2).mean())


def reliability(labels: ArrayLike, scores: ArrayLike, bins: int = 10) -> Reliability:
    """Return what a reliability plot shows; see `ece` for the arguments."""
    fake, values = _probabilities(labels, scores)
    index = bin_of(values, bins)
    n = np.bincount(index, minlength=bins)
    total = np.bincount(index, values, bins)
    mean = np.divide(total, n, out=np.full(bins, np.nan), where=n > 0)
    return Reliability(n, np.bincount(index[fake], minlength=bins), mean)


def bin_of(scores: Floats, bins: int) -> NDArray[np.int64]:
    """Return each score's bin, 0..bins-1; 1.0 belongs to the last."""
    return np.minimum((scores * bins).astype(np.int64), bins - 1)


def _probabilities(labels: ArrayLike, scores: ArrayLike) -> tuple[Bools, Floats]:
    fake, values = as_scored(labels, scores, "scores")
    if values.size == 0:
        raise InputError("scores: calibration needs at least one image, got none.")
    if values.min() < 0 or values.max() > 1:
        raise InputError(
            f"scores: expected probabilities in 0..1, got {values.min():g}..{values.max():g}."
        )
    return fake, values


def _newton(x: Floats, target: Floats) -> tuple[float, float]:
    """Minimise the cross entropy of `sigmoid(a x + b)` against `target`."""
    a, b = 0.0, float(np.log(target.mean() / (1 - target.mean())))
    loss = _cross_entropy(a * x + b, target)
    for _ in range(100):
        p = sigmoid(a * x + b)
        weight = p * (1 - p)
        gradient = np.array([(x * (p - target)).sum(), (p - target).sum()])
        if np.abs(gradient).max() < 1e-9 * x.size:
            break
        cross = (weight * x).sum()
        hessian = np.array([[(weight * x * x).sum(), cross], [cross, weight.sum()]])
        step = np.linalg.solve(hessian + 1e-12 * np.eye(2), gradient)
        scale = 1.0
        while scale > 1e-10:  # halve the step until it helps
            new = _cross_entropy(
                (a - scale * step[0]) * x + b - scale * step[1], target
            )
            if new < loss + 1e-15 * abs(loss):
                break
            scale /= 2
        else:
            break
        a, b, loss = a - scale * float(step[0]), b - scale * float(step[1]), new
    return a, b


def _cross_entropy(log_odds: Floats, target: Floats) -> float:
    return float((np.logaddexp(0.0, log_odds) - target * log_odds).sum())
