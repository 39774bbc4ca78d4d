"""Two systems on several kinds of fakes that share their real images."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from kerasfaces import rng
from kerasfaces.errors import InputError
from kerasfaces.metrics.bootstrap import RESAMPLES, draw_counts
from kerasfaces.metrics.inputs import Floats, as_values
from kerasfaces.metrics.intervals import Estimate, percentiles
from kerasfaces.metrics.paired import Difference, _Order

_CHUNK_ELEMENTS = 2**18


def mean_auc_difference(
    reals: tuple[ArrayLike, ArrayLike],
    fakes: Sequence[tuple[ArrayLike, ArrayLike]],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Compare two systems by the mean of their AUCs over several kinds of fakes.

    A paired, stratified bootstrap: reals and each kind of fakes are resampled apart, and
    both systems see the same draws; every kind counts alike whatever its size.

    Args:
        reals: Logits `(n,)` of the same real images by systems A and B.
        fakes: Per kind, logits `(m,)` of the same fakes by A and B.
        resamples: Bootstrap resamples.
        seed: Keys the resamples.

    Raises:
        InputError: Nothing to compare, other lengths, or a logit that is not finite.
    """
    real_a, real_b = _pair(reals, "reals")
    sides = [_pair(fake, f"fakes[{i}]") for i, fake in enumerate(fakes)]
    if not sides:
        raise InputError("mean_auc_difference: expected at least one kind of fakes.")
    orders = [(_Order(real_a, a), _Order(real_b, b)) for a, b in sides]
    generator = rng.generator(seed, "paired", "several")
    largest = max(real_a.size, *(a.size for a, _ in sides))
    chunk = int(np.clip(_CHUNK_ELEMENTS // largest, 1, resamples))
    parts = []
    for start in range(0, resamples, chunk):
        k = min(chunk, resamples - start)
        drawn = draw_counts(real_a.size, k, generator)
        differences = []
        for (first, second), (a, _) in zip(orders, sides, strict=True):
            counts = draw_counts(a.size, k, generator)
            differences.append(first.auc(drawn, counts) - second.auc(drawn, counts))
        parts.append(np.mean(differences, axis=0))
    samples = np.concatenate(parts)
    value = _value(orders, real_a.size, [a.size for a, _ in sides])
    method = f"paired stratified bootstrap, {resamples} resamples"
    if np.ptp(samples) == 0 and value != 0:
        why = "no interval: resamples do not vary"
        return Difference(Estimate(value, math.nan, math.nan, why), math.nan)
    beyond = min(np.count_nonzero(samples <= 0), np.count_nonzero(samples >= 0))
    p_value = min(1.0, 2 * (int(beyond) + 1) / (resamples + 1))
    return Difference(Estimate(value, *percentiles(samples, value), method), p_value)


def _pair(values: tuple[ArrayLike, ArrayLike], name: str) -> tuple[Floats, Floats]:
    a, b = (as_values(each, name) for each in values)
    if a.size != b.size or not a.size:
        raise InputError(
            f"{name}: expected the same images for both systems, got {a.size} and {b.size}."
        )
    return a, b


def _value(
    orders: Sequence[tuple[_Order, _Order]], n_real: int, n_fake: Sequence[int]
) -> float:
    once = np.ones((1, n_real), np.int64)
    each = [
        (first.auc(once, ones) - second.auc(once, ones))[0]
        for (first, second), n in zip(orders, n_fake, strict=True)
        for ones in [np.ones((1, n), np.int64)]
    ]
    return float(np.mean(each))
