"""Logits -> the class, or `unknown` where an image looks like none of them.

The threshold is calibrated on validation images of known classes alone: it needs no
example of the unknown, and what it is worth is measured by leaving generators out.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from kerasfaces.attribute.classes import UNKNOWN
from kerasfaces.core.errors import InputError
from kerasfaces.metrics.inputs import Floats

RULES = ("doubt", "distance", "both")
REJECTED = 0.05  # of the known validation images


@dataclasses.dataclass(frozen=True)
class OpenSet:
    """A frozen rule that rejects images of unknown generators."""

    threshold: float  # images whose score is above it are called unknown
    # At most this share of known validation images is, classes weighing alike.
    rate: float
    rejected: float  # the share that is
    n: int  # known validation images it was chosen on
    rule: str  # one of `RULES`: what the score is
    doubt: tuple[float, float]  # middle and spread of the head's doubt on them
    # Middle and spread of their distance from the classes.
    distance: tuple[float, float]

    def score(self, logits: Floats, distance: Floats) -> Floats:
        """Return how unknown images look, `(n,)`, larger = more.

        `logits` are `(n, classes)`, `distance` is that of `head.Head`, `(n,)`.
        """
        unsure = (doubt(logits) - self.doubt[0]) / self.doubt[1]
        far = (distance - self.distance[0]) / self.distance[1]
        by_rule = {"doubt": unsure, "distance": far, "both": unsure + far}
        return np.asarray(by_rule[self.rule])

    def call(self, logits: Floats, score: Floats, names: tuple[str, ...]) -> list[str]:
        """Return the class or `unknown` of images with logits `(n, classes)`, score `(n,)`."""
        away = (score > self.threshold).tolist()
        pairs = zip(away, closest(logits, names), strict=True)
        return [UNKNOWN if far else name for far, name in pairs]


def closest(logits: Floats, names: tuple[str, ...]) -> list[str]:
    """Return the most likely class of each image, `unknown` never."""
    return [names[index] for index in logits.argmax(axis=1).tolist()]


def probabilities(logits: Floats) -> Floats:
    """Return the softmax, `(n, classes)`."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float64)


def doubt(logits: Floats) -> Floats:
    """Return how unsure of a class the head is, `(n,)`.

    Minus the log of the likeliest class's odds against all others together: as ranked by
    the largest softmax probability (Hendrycks & Gimpel 2017), without its rounding to 1.
    """
    ordered = np.sort(logits, axis=1)
    others = ordered[:, :-1]
    top = others.max(axis=1, keepdims=True)
    rest = top[:, 0] + np.log(np.exp(others - top).sum(axis=1))
    return np.asarray(rest - ordered[:, -1], dtype=np.float64)


def calibrate(
    logits: Floats,
    distance: Floats,
    classes: NDArray[np.int64],
    rate: float = REJECTED,
    rule: str = "doubt",
) -> OpenSet:
    """Choose the threshold on validation images of known classes.

    Args:
        logits: `(n, classes)`.
        distance: `(n,)`.
        classes: `(n,)`, what they are; each class weighs alike.
        rate: Turn away at most this share of them.
        rule: One of `RULES`.

    Raises:
        InputError: A rate outside 0..1, or no image.
    """
    if not 0 < rate < 1:
        raise InputError(
            f"`reject`: expected a share between 0 and 1, got {rate:g}, e.g. 0.05."
        )
    if not len(classes):
        raise InputError("The rejection threshold needs validation images; got none.")
    counts = np.bincount(classes)
    weight = 1 / (np.count_nonzero(counts) * counts[classes])
    scales = _scale(doubt(logits)), _scale(distance)
    point = OpenSet(np.inf, rate, 0.0, len(classes), rule, *scales)
    score = point.score(logits, distance)
    order = np.argsort(-score, kind="stable")
    # Rows of one score are turned away together.
    last = np.append(np.diff(score[order]) != 0, True)
    share = np.where(last, np.cumsum(weight[order]), np.inf)
    allowed = np.flatnonzero(share <= rate + 1e-12)
    cut = int(allowed.max()) + 1 if allowed.size else 0
    below = np.nextafter(score.min(), -np.inf)
    threshold = float(score[order[cut]] if cut < len(order) else below)
    rejected = float(weight[score > threshold].sum())
    return dataclasses.replace(point, threshold=threshold, rejected=rejected)


def _scale(values: Floats) -> tuple[float, float]:
    """Return median and the width of the middle 80 %; 1 where they do not vary."""
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    return float(middle), float(high - low) or 1.0
