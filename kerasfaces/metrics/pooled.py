"""Two systems trained on several splits: is their mean difference in AUC more than chance?

The splits' test rows overlap, so their p-values cannot be combined as independent ones.
Images are resampled instead, each with the same count in every split that tests it.
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.metrics.bootstrap import RESAMPLES, draw_counts
from kerasfaces.metrics.draws import Difference, from_draws
from kerasfaces.metrics.inputs import Bools, as_labels, as_scored
from kerasfaces.metrics.intervals import Estimate
from kerasfaces.metrics.paired import Order
from kerasfaces.metrics.ranking import auc, both_classes

CLASSES = (False, True)  # real, fake
_CHUNK_ELEMENTS = 2**18
_MISSED = 0.05  # of the resamples: beyond, the rest says too little


@dataclasses.dataclass(frozen=True)
class TestRows:
    """One split's test rows under both systems.

    Attributes:
        keys: `(n,)`, names the images: the same key is the same image in every split.
        labels: `(n,)`; 1 or `fake` is positive.
        logits_a: `(n,)` finite, system A as trained on this split.
        logits_b: `(n,)` finite, system B.
    """

    __test__ = False  # no test of pytest's

    keys: Sequence[str]
    labels: ArrayLike
    logits_a: ArrayLike
    logits_b: ArrayLike


def pooled_difference(
    splits: Sequence[TestRows], resamples: int = RESAMPLES, seed: int = 0
) -> Difference:
    """Return the mean over splits of the AUC of A minus that of B.

    A paired bootstrap over images within each class. The interval holds for these splits
    and these trainings: it knows which images were tested, not what other trainings
    would have given. For the p-value see `draws.p_of_draws`; resamples that miss a class,
    as there are few of it in a split, count against a difference.

    Args:
        splits: At least one.
        resamples: Bootstrap resamples.
        seed: Keys the resamples.

    Raises:
        InputError: No split; NaN, other labels, other lengths, one class only, a key twice
            in a split, or one image with two labels.
    """
    if not splits:
        raise InputError("pooled_difference: expected at least one split.")
    read = [_Split(rows) for rows in splits]
    reals, fakes = (_numbered(each.keys[side] for each in read) for side in CLASSES)
    if both := reals.keys() & fakes.keys():
        raise InputError(
            f"pooled_difference: {quoted(min(both))} is real in one split and fake in another."
        )
    value = float(np.mean([split.value for split in read]))
    generator = rng.generator(seed, "paired", "pooled")
    chunk = int(np.clip(_CHUNK_ELEMENTS // max(len(reals), len(fakes)), 1, resamples))
    parts = []
    for start in range(0, resamples, chunk):
        k = min(chunk, resamples - start)
        drawn_reals = draw_counts(len(reals), k, generator)
        drawn_fakes = draw_counts(len(fakes), k, generator)
        each = [
            split.differences(
                drawn_reals.take([reals[key] for key in split.keys[False]], axis=1),
                drawn_fakes.take([fakes[key] for key in split.keys[True]], axis=1),
            )
            for split in read
        ]
        parts.append(np.mean(each, axis=0))
    drawn = np.concatenate(parts)
    method = f"paired bootstrap over images shared by splits, {resamples} resamples"
    # Splits with few images of a class: some resamples leave one without any.
    known = drawn[np.isfinite(drawn)]
    missed = resamples - known.size
    if missed:
        method += (
            f", {missed} left out that miss a class and count against a difference"
        )
    if missed > _MISSED * resamples:
        none = Estimate(
            value, math.nan, math.nan, "no interval: resamples miss a class"
        )
        return Difference(none, math.nan)
    n = min(len(reals), len(fakes))
    alike = not missed and all(split.same for split in read)
    found = from_draws(known, value, n, method, alike=alike)
    if missed:
        beyond = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
        counted = min(1.0, 2 * (int(beyond) + missed + 1) / (resamples + 1))
        found = dataclasses.replace(found, p_value=max(found.p_value, counted))
    return found


class _Split:
    """One split's rows, checked, and how both systems rank them."""

    def __init__(self, rows: TestRows) -> None:
        fake, a = both_classes(*as_scored(rows.labels, rows.logits_a, "logits_a"))
        _, b = as_scored(rows.labels, rows.logits_b, "logits_b")
        as_labels(fake, b.size)
        keys = list(rows.keys)
        if len(keys) != fake.size or len(set(keys)) != len(keys):
            raise InputError(
                f"keys: expected {fake.size} different ones, got {len(set(keys))} "
                f"among {len(keys)}."
            )
        self.value = auc(fake, a) - auc(fake, b)
        self.keys = {
            side: [
                key for key, is_fake in zip(keys, fake, strict=True) if is_fake == side
            ]
            for side in CLASSES
        }
        self._orders = [Order(logits[~fake], logits[fake]) for logits in (a, b)]
        self.same = _same_pairs(fake, *self._orders)

    def differences(
        self, reals: NDArray[np.int64], fakes: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return `(k,)` differences of counts `(k, n_real)` and `(k, n_fake)`."""
        first, second = (order.auc(reals, fakes) for order in self._orders)
        return first - second


def _same_pairs(fake: Bools, a: Order, b: Order) -> bool:
    """Tell whether both systems order every real and every fake alike."""
    return (
        np.array_equal(a.order, b.order)
        and np.array_equal(a.below, b.below)
        and np.array_equal(a.upto, b.upto)
    )


def _numbered(parts: Iterable[Sequence[str]]) -> dict[str, int]:
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: i for i, key in enumerate(keys)}
