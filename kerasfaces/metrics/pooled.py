"""Two systems on several splits of the same images: one interval for the mean difference.

Test splits drawn anew share images, so intervals per split cannot be combined as if they
were independent. Here images are resampled, not rows of splits: an image that is in
three test splits is drawn into all three or none.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from kerasfaces import rng
from kerasfaces.errors import InputError
from kerasfaces.metrics.bootstrap import RESAMPLES, draw_counts
from kerasfaces.metrics.inputs import Floats, as_scored
from kerasfaces.metrics.intervals import Estimate, percentiles
from kerasfaces.metrics.paired import Difference
from kerasfaces.metrics.ranking import auc, both_classes

Split = tuple[Sequence[Hashable], ArrayLike, ArrayLike, ArrayLike]


def pooled_auc_difference(
    splits: Sequence[Split], resamples: int = RESAMPLES, seed: int = 0
) -> Difference:
    """Return the mean over splits of AUC A minus AUC B, with an interval over images.

    A stratified bootstrap over the distinct images of all splits; the systems, trained
    once per split, are held fixed.

    Args:
        splits: Per split `(ids, labels, logits_a, logits_b)`, each of length n: which
            image, 1 or `fake`, and what both systems say.
        resamples: Bootstrap resamples.
        seed: Keys the resamples.

    Raises:
        InputError: No split, NaN, other labels or lengths, one class, an image with two
            labels.

    Example:
        >>> one = (["a", "b", "c", "d"], [0, 0, 1, 1], [1, 2, 3, 4], [1, 3, 2, 4])
        >>> pooled_auc_difference([one, one]).estimate.value
        0.25
    """
    if not splits:
        raise InputError(
            "pooled_auc_difference: expected at least one split, got none."
        )
    numbers: tuple[dict[Hashable, int], dict[Hashable, int]] = ({}, {})
    parts = []
    for ids, labels, logits_a, logits_b in splits:
        fake, a = both_classes(*as_scored(labels, logits_a, "logits_a"))
        _, b = as_scored(fake, logits_b, "logits_b")
        if len(ids) != fake.size:
            raise InputError(f"ids: expected {fake.size}, got {len(ids)}.")
        at = np.array(
            [
                numbers[int(is_fake)].setdefault(one, len(numbers[int(is_fake)]))
                for one, is_fake in zip(ids, fake, strict=True)
            ]
        )
        parts.append((fake, a, b, at))
    both = numbers[0].keys() & numbers[1].keys()
    if both:
        raise InputError(
            f"ids: {next(iter(both))!r} is real in one row, fake in another."
        )
    generator = rng.generator(seed, "pooled")
    reals = draw_counts(len(numbers[0]), resamples, generator).astype(np.float64)
    fakes = draw_counts(len(numbers[1]), resamples, generator).astype(np.float64)
    drawn = np.zeros(resamples)
    value = 0.0
    for fake, a, b, at in parts:
        value += (auc(fake, a) - auc(fake, b)) / len(parts)
        won = _won(fake, a) - _won(fake, b)  # (n_fake, n_real)
        real_counts, fake_counts = reals[:, at[~fake]], fakes[:, at[fake]]
        pairs = real_counts.sum(axis=1) * fake_counts.sum(axis=1)
        scores = np.einsum("kf,fr,kr->k", fake_counts, won, real_counts, optimize=True)
        drawn += scores / np.maximum(pairs, 1) / len(parts)
    beyond = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    p_value = min(1.0, 2 * (int(beyond) + 1) / (resamples + 1))
    method = f"paired stratified bootstrap over the images of all splits, {resamples} resamples"
    return Difference(Estimate(value, *percentiles(drawn, value), method), p_value)


def _won(fake: ArrayLike, logits: Floats) -> Floats:
    """Return `(n_fake, n_real)`: 1 where the fake is ranked higher, 1/2 where equal."""
    chosen = np.asarray(fake, bool)
    difference = logits[chosen][:, None] - logits[~chosen][None, :]
    won: Floats = (np.sign(difference) + 1) / 2
    return won
