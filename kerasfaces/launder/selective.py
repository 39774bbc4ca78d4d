"""Answers with a right to be unsure: how often is the rest wrong, after laundering?

Coverage is the share of images that get an answer, risk the share of wrong ones among
them, both the mean of the two classes, so that their mix does not matter (El-Yaniv and
Wiener 2010, On the foundations of noise-free selective classification).
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core import rng
from kerasfaces.metrics import Estimate
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.metrics.intervals import percentiles, undefined
from kerasfaces.run.operating_point import OperatingPoint

COVERAGES = tuple(round(1 - 0.05 * i, 2) for i in range(15))  # 1 .. .3
_MOVER = "MOVER over both classes' Wilson intervals"


@dataclasses.dataclass(frozen=True)
class Curve:
    """Risk at each coverage of `COVERAGES`, surest answers first."""

    risk: Floats  # `(len(COVERAGES),)` of them
    low: Floats  # lower limits
    high: Floats  # upper limits


def at_band(
    fake: Bools, scores: Floats, point: OperatingPoint
) -> Mapping[str, Estimate]:
    """Return `coverage` and `risk` with the abstain band that validation froze.

    Args:
        fake: `(n,)`.
        scores: `(n,)` 0..1.
        point: Threshold and band.
    """
    verdicts = np.array(point.verdicts(scores), dtype=object)
    answered = verdicts != "unsure"
    wrong = answered & ((verdicts == "fake") != fake)
    sides = [~fake, fake]
    covered = [(int((answered & side).sum()), int(side.sum())) for side in sides]
    errors = [
        (int((wrong & side).sum()), n)
        for side, (n, _) in zip(sides, covered, strict=True)
    ]
    return {
        "coverage": _mean(covered, "a class has no image"),
        "risk": _mean(errors, "no image of a class gets an answer"),
    }


def curve(
    fake: Bools, margins: Floats, wrong: Bools, resamples: int, seed: int
) -> Curve:
    """Return risk over coverage; an image's versions are drawn together.

    Args:
        fake: `(images,)`.
        margins: `(images, versions)`, distance of the log-odds from the threshold; NaN
            where a version has no logit.
        wrong: `(images, versions)`, whether its answer would be wrong.
        resamples: Bootstrap resamples of images, within each class.
        seed: Keys them.
    """
    owner, version = np.nonzero(np.isfinite(margins))
    order = np.argsort(-margins[owner, version], kind="stable")
    owner = owner[order]
    missed = wrong[owner, version[order]]
    generator = rng.generator(seed, "risk over coverage")
    places = [np.flatnonzero(fake == side) for side in (False, True)]

    def draw() -> NDArray[np.int64]:
        counts = np.zeros(len(fake), dtype=np.int64)
        for place in places:
            counts += np.bincount(
                generator.choice(place, len(place)), minlength=len(fake)
            )
        return counts

    value = _risks(np.ones(len(fake), dtype=np.int64), owner, missed, fake)
    drawn = np.array([_risks(draw(), owner, missed, fake) for _ in range(resamples)])
    limits = [
        percentiles(column[np.isfinite(column)], each)
        if np.isfinite(each) and np.isfinite(column).any()
        else (np.nan, np.nan)
        for column, each in zip(drawn.T, value, strict=True)
    ]
    low, high = np.array(limits).T
    return Curve(value, low, high)


def _risks(
    counts: NDArray[np.int64], owner: NDArray[np.intp], missed: Bools, fake: Bools
) -> Floats:
    """Return the risk at each coverage when image i counts `counts[i]` times."""
    weights = counts[owner].astype(np.float64)
    of_fake = fake[owner]
    for side in (of_fake, ~of_fake):
        total = weights[side].sum()
        if not total:
            return np.full(len(COVERAGES), np.nan)
        weights[side] *= 0.5 / total
    covered = np.cumsum(weights)
    wrong = np.cumsum(weights * missed)
    at = np.minimum(
        np.searchsorted(covered, np.array(COVERAGES) - 1e-9), len(covered) - 1
    )
    risks: Floats = wrong[at] / np.maximum(covered[at], 1e-12)
    return risks


def _mean(rates: list[tuple[int, int]], why_not: str) -> Estimate:
    if min(n for _, n in rates) == 0:
        return undefined(why_not)
    return Estimate(*metrics.combined(rates, [0.5, 0.5]), _MOVER)
