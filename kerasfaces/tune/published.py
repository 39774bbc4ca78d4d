"""A document's grid beside ours: the same points, other images, so other columns."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasfaces.core import rng
from kerasfaces.metrics import Estimate
from kerasfaces.metrics.bootstrap import RESAMPLES, draw_counts
from kerasfaces.tune.records import Trial

NAMES = ("accuracy", "loss", "precision", "recall")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """One line of a published grid."""

    values: Mapping[str, Any]  # hyperparameter -> value
    metrics: Mapping[str, float]  # one of `NAMES` -> the printed number


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published:
    """A grid of hyperparameters that a document printed, with its numbers."""

    source: str  # whose, and which table
    data: str  # images that its numbers were measured on
    points: tuple[Point, ...]  # its lines, in its order


def from_json(content: Mapping[str, Any]) -> Published:
    """Return the grid that `dataclasses.asdict` took apart."""
    points = tuple(Point(**point) for point in content["points"])
    return Published(source=content["source"], data=content["data"], points=points)


def find(point: Point, trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with a point's values; None without one."""
    same = (trial for trial in trials if dict(trial.values) == dict(point.values))
    return next(same, None)


def measure(labels: ArrayLike, logits: ArrayLike, seed: int = 0) -> dict[str, Estimate]:
    """Return a trial's mean over seeds of what documents print, at probability 1/2.

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
        return Estimate(
            math.nan, math.nan, math.nan, "not defined: nothing was called fake"
        )
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(
        value, float(low), float(high), f"stratified bootstrap, {RESAMPLES} resamples"
    )
