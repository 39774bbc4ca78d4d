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

NAMES = ("accuracy", "loss", "precision", "recall")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """One line of a published grid.

    Attributes:
        values: Hyperparameter -> value.
        metrics: One of `NAMES` -> the printed number.
    """

    values: Mapping[str, Any]
    metrics: Mapping[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published:
    """A published grid.

    Attributes:
        source: Whose, and which table.
        data: What its numbers were measured on.
        points: Its lines, in its order.
    """

    source: str
    data: str
    points: tuple[Point, ...]


def from_json(content: Mapping[str, Any]) -> Published:
    """Return what `dataclasses.asdict` was given."""
    points = tuple(Point(**point) for point in content["points"])
    return Published(source=content["source"], data=content["data"], points=points)


def find(point: Point, trials: Sequence[Any]) -> Any | None:
    """Return the trial with a point's values; None without one."""
    for trial in trials:
        if dict(trial.values) == dict(point.values):
            return trial
    return None


def measure(labels: ArrayLike, logits: ArrayLike, seed: int = 0) -> dict[str, Estimate]:
    """Return a trial's mean over seeds of what documents print, at probability 1/2.

    A stratified bootstrap over images; the interval holds for these seeds.

    Args:
        labels: `(m,)`, 1 = fake.
        logits: `(seeds, m)` finite.
        seed: Keys the resamples.

    Returns:
        `NAMES` -> number; `loss` is the mean cross-entropy without penalties.
    """
    fake = np.asarray(labels) == 1
    given = np.atleast_2d(np.asarray(logits, np.float64))
    generator = rng.generator(seed, "published")
    counts = np.empty((RESAMPLES + 1, fake.size))
    counts[0] = 1.0
    for chosen in (~fake, fake):
        n = int(chosen.sum())
        counts[1:, chosen] = draw_counts(n, RESAMPLES, generator)
    found = {name: _mean(name, fake, given, counts) for name in NAMES}
    return {name: _estimate(values) for name, values in found.items()}


def _mean(
    name: str,
    fake: NDArray[np.bool_],
    logits: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> NDArray[np.float64]:
    called = logits > 0
    if name == "accuracy":
        above, below = (called == fake), np.ones_like(called)
    elif name == "loss":
        above, below = np.logaddexp(0.0, logits) - fake * logits, np.ones_like(called)
    elif name == "precision":
        above, below = called & fake, called
    else:
        above, below = called & fake, np.broadcast_to(fake, called.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = (counts @ above.T) / (counts @ below.T)
    means: NDArray[np.float64] = shares.mean(axis=1)
    return means


def _estimate(values: NDArray[np.float64]) -> Estimate:
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
