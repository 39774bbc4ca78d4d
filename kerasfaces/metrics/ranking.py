"""Ranking metrics, exact, with ties: AUC, average precision and their curves."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.metrics.inputs import Bools, Floats, as_scored


@dataclasses.dataclass(frozen=True)
class Curve:
    """A curve through every distinct threshold, from the strictest to the loosest.

    Attributes:
        x: `(k,)` float64: false-alarm rate (ROC) or recall (precision-recall).
        y: `(k,)` float64: recall (ROC) or precision.
        threshold: `(k,)` float64; infinite at the start of a ROC curve.
    """

    x: Floats
    y: Floats
    threshold: Floats


def auc(labels: ArrayLike, logits: ArrayLike) -> float:
    """Return the chance that a fake outranks a real, ties counting one half.

    The exact rank statistic (Mann & Whitney 1947): a binned estimate saturates.

    Args:
        labels: `(n,)`; 1 or `fake` is positive.
        logits: `(n,)` finite; larger = more likely fake. Any increasing transform of
            them gives the same value.

    Raises:
        InputError: NaN, other labels, or only one class.

    Example:
        >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.75
    """
    fake, values = both_classes(*as_scored(labels, logits, "logits"))
    real_sorted = np.sort(values[~fake])
    below = np.searchsorted(real_sorted, values[fake], "left")
    upto = np.searchsorted(real_sorted, values[fake], "right")
    pairs = int(fake.sum()) * int((~fake).sum())
    return float((int(below.sum()) + int(upto.sum())) / (2 * pairs))


def ap(labels: ArrayLike, logits: ArrayLike) -> float:
    """Return average precision: the sum of precision times the step in recall.

    Args:
        labels: `(n,)`; 1 or `fake` is positive.
        logits: `(n,)` finite.

    Raises:
        InputError: NaN, other labels, or only one class.
    """
    hits, alarms, _ = _cumulative(*both_classes(*as_scored(labels, logits, "logits")))
    steps = np.diff(hits, prepend=0)
    return float((steps * hits / (hits + alarms)).sum() / hits[-1])


def roc_curve(labels: ArrayLike, logits: ArrayLike) -> Curve:
    """Return the ROC curve, from (0, 0) to (1, 1); see `auc` for the arguments."""
    hits, alarms, thresholds = _cumulative(
        *both_classes(*as_scored(labels, logits, "logits"))
    )
    return Curve(
        np.concatenate([[0.0], alarms / alarms[-1]]),
        np.concatenate([[0.0], hits / hits[-1]]),
        np.concatenate([[np.inf], thresholds]),
    )


def precision_recall_curve(labels: ArrayLike, logits: ArrayLike) -> Curve:
    """Return precision over recall; see `ap` for the arguments."""
    hits, alarms, thresholds = _cumulative(
        *both_classes(*as_scored(labels, logits, "logits"))
    )
    return Curve(hits / hits[-1], hits / (hits + alarms), thresholds)


def both_classes(fake: Bools, values: Floats) -> tuple[Bools, Floats]:
    """Return the arguments.

    Raises:
        InputError: There is no real or no fake among them.
    """
    if fake.all() or not fake.any():
        n_fake = int(fake.sum())
        raise InputError(
            f"A ranking needs both classes; got {fake.size - n_fake} real and {n_fake} fake."
        )
    return fake, values


def _cumulative(
    fake: Bools, values: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return fakes and reals at or above each distinct value, descending."""
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    hits = np.cumsum(fake[order], dtype=np.int64)[last]
    return hits, last.astype(np.int64) + 1 - hits, ranked[last]
