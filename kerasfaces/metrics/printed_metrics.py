"""What documents print of a grid: metrics at probability 1/2, mean over training seeds."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasfaces.core import rng
from kerasfaces.metrics.bootstrap import RESAMPLES, draw_counts
from kerasfaces.metrics.intervals import Estimate, undefined

NAMES = ("accuracy", "loss", "precision", "recall")


def measure(labels: ArrayLike, logits: ArrayLike, seed: int = 0) -> dict[str, Estimate]:
    """Return the mean over seeds of what documents print, at probability 1/2.

    Keys are `NAMES`; `loss` is the mean cross-entropy without penalties. A stratified
    bootstrap over images; the interval holds for these seeds. Labels are `(m,)`, 1 = fake,
    logits `(seeds, m)`, finite.
    """
    fake = np.asarray(labels) == 1
    values = np.atleast_2d(np.asarray(logits, np.float64))
    generator = rng.generator(seed, "published")
    counts = np.empty((RESAMPLES + 1, fake.size))
    counts[0] = 1.0
    for of_class in (~fake, fake):
        n = int(of_class.sum())
        counts[1:, of_class] = draw_counts(n, RESAMPLES, generator)
    called = values > 0
    every = np.ones_like(called)
    shares = {  # name -> what is summed, over the number of what
        "accuracy": (called == fake, every),
        "loss": (np.logaddexp(0.0, values) - fake * values, every),
        "precision": (called & fake, called),
        "recall": (called & fake, np.broadcast_to(fake, called.shape)),
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            name: _estimate(((counts @ above.T) / (counts @ below.T)).mean(axis=1))
            for name, (above, below) in shares.items()
        }


def _estimate(values: NDArray[np.float64]) -> Estimate:
    """Return the first value with the interval of the others, as far as they are finite."""
    value, drawn = float(values[0]), values[1:]
    drawn = drawn[np.isfinite(drawn)]
    if not math.isfinite(value) or not drawn.size:
        return undefined("nothing was called fake")
    low, high = map(float, np.quantile(drawn, [0.025, 0.975]))
    return Estimate(value, low, high, f"stratified bootstrap, {RESAMPLES} resamples")
