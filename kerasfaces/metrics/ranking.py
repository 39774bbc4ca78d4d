"""Ranking metrics, exact, with ties: AUC, average precision and their curves."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasfaces.metrics.inputs import Floats, as_ranked


class Curve(NamedTuple):
    """A curve through every distinct threshold, from the strictest to the loosest.

    Attributes:
        x: `(k,)` float64: false-alarm rate (ROC) or recall (precision-recall).
        y: `(k,)` float64: recall (ROC) or precision.
    """

    x: Floats
    y: Floats


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
    fake, values = as_ranked(labels, logits)
    real_sorted, fakes = np.sort(values[~fake]), values[fake]
    below = np.searchsorted(real_sorted, fakes, "left").sum()
    upto = np.searchsorted(real_sorted, fakes, "right").sum()
    return int(below + upto) / (2 * real_sorted.size * fakes.size)


def ap(labels: ArrayLike, logits: ArrayLike) -> float:
    """Return average precision: the sum of precision times the step in recall.

    For the arguments see `auc`.
    """
    hits, alarms = _cumulative(labels, logits)
    steps = np.diff(hits, prepend=0)
    return float((steps * hits / (hits + alarms)).sum() / hits[-1])


def roc_curve(labels: ArrayLike, logits: ArrayLike) -> Curve:
    """Return the ROC curve, from (0, 0) to (1, 1); see `auc` for the arguments."""
    hits, alarms = (np.insert(count, 0, 0) for count in _cumulative(labels, logits))
    return Curve(alarms / alarms[-1], hits / hits[-1])


def precision_recall_curve(labels: ArrayLike, logits: ArrayLike) -> Curve:
    """Return precision over recall; see `auc` for the arguments."""
    hits, alarms = _cumulative(labels, logits)
    return Curve(hits / hits[-1], hits / (hits + alarms))


def _cumulative(
    labels: ArrayLike, logits: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return fakes and reals at or above each distinct value, descending."""
    fake, values = as_ranked(labels, logits)
    order = np.argsort(-values, kind="stable")
    last = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))
    hits = np.cumsum(fake[order], dtype=np.int64)[last]
    return hits, last.astype(np.int64) + 1 - hits
