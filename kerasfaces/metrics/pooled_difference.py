"""Two systems on several splits of the same images: is their mean difference chance?"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.metrics.difference_tests import Difference, beyond_zero, from_draws
from kerasfaces.metrics.inputs import Bools, Floats, as_ranked, as_scored
from kerasfaces.metrics.intervals import Estimate
from kerasfaces.metrics.orders import Counts, Order, once, resampled

_MISSED = 0.05  # of the resamples: beyond, the rest says too little


@dataclasses.dataclass(frozen=True)
class TestRows:
    """One split's test rows under two systems.

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

    The splits' test rows overlap, so their p-values cannot be combined as independent ones:
    images are resampled instead, each with the same count in every split that tests it. The
    interval holds for these splits and these trainings: it knows which images were tested,
    not what other trainings would have given. Resamples that miss a class, as there are few
    of it in a split, count against a difference.

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
    orders = [_orders(rows) for rows in splits]
    reals: dict[str, int] = {}  # image -> its number among those of its class
    fakes: dict[str, int] = {}
    places = []  # of each split's reals and fakes among all
    for rows, (fake, _, _) in zip(splits, orders, strict=True):
        own: tuple[list[int], list[int]] = [], []
        for key, is_fake in zip(rows.keys, fake.tolist(), strict=True):
            known = fakes if is_fake else reals
            own[is_fake].append(known.setdefault(key, len(known)))
        places.append(own)
    if both := reals.keys() & fakes.keys():
        raise InputError(
            f"pooled_difference: {quoted(min(both))} is real in one split and fake in another."
        )

    def each_split(all_reals: Counts, all_fakes: Counts) -> list[Floats]:
        counts = [(all_reals.take(r, 1), all_fakes.take(f, 1)) for r, f in places]
        return [
            a.auc(*own) - b.auc(*own)
            for (_, a, b), own in zip(orders, counts, strict=True)
        ]

    sides = len(reals), len(fakes)
    value = float(np.mean([each[0] for each in each_split(*once(*sides))]))
    draws = resampled(*sides, resamples, rng.generator(seed, "paired", "pooled"))
    drawn = np.concatenate([np.mean(each_split(*each), axis=0) for each in draws])
    known = drawn[np.isfinite(drawn)]
    missed = resamples - known.size
    method = f"paired bootstrap over images shared by splits, {resamples} resamples"
    if missed > _MISSED * resamples:
        why = "no interval: resamples miss a class"
        return Difference(Estimate(value, math.nan, math.nan, why), math.nan)
    if missed:
        method += (
            f", {missed} left out that miss a class and count against a difference"
        )
    alike = not missed and all(a.orders_like(b) for _, a, b in orders)
    difference = from_draws(known, value, min(sides), method, alike=alike)
    counted = 2 * (beyond_zero(known) + missed + 1) / (resamples + 1)
    if missed and difference.p_value < counted:
        difference = dataclasses.replace(difference, p_value=min(1.0, counted))
    return difference


def _orders(rows: TestRows) -> tuple[Bools, Order, Order]:
    """Return which rows are fake, and how both systems rank them."""
    fake, a = as_ranked(rows.labels, rows.logits_a, "logits_a")
    _, b = as_scored(fake, rows.logits_b, "logits_b")
    different = len(set(rows.keys))
    if len(rows.keys) != fake.size or different != fake.size:
        raise InputError(
            f"keys: expected {fake.size} different ones, got {different} among {len(rows.keys)}."
        )
    return fake, Order(a[~fake], a[fake]), Order(b[~fake], b[fake])
