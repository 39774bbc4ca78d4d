"""Stratified bootstrap of metrics that have no interval in closed form.

A resample is a vector of counts (how often each row was drawn) over rows sorted once;
every metric is then a few cumulative sums and dot products. Resamples are worked off in
chunks that fit the processor's cache. Slices that share a class (a fake source is
compared with all reals) share its draws.
"""

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.metrics.calibration import ECE_BINS, bin_of
from kerasfaces.metrics.inputs import Floats

RESAMPLES = 1000
_CHUNK_ELEMENTS = 2**18  # counts in memory per class: about a cache's worth
Counts = NDArray[Any]  # float32, or float64 where that cannot count
_FLOAT32_EXACT = 2**24  # above it float32 cannot count


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """All rows of one class in a slice.

    Attributes:
        key: Names the draws: the same key and seed give the same resamples.
        logit: `(n,)` float64, descending.
        score: `(n,)` float64, 0..1, in the same order.
        outcome: 1.0 for fakes, 0.0 for reals.
    """

    key: str
    logit: Floats
    score: Floats
    outcome: float

    @classmethod
    def of(cls, key: str, logit: Floats, score: Floats, outcome: float) -> "Side":
        """Sort the rows of one class."""
        order = np.lexsort((-score, -logit))
        return cls(key, logit[order], score[order], outcome)

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.logit.size)

    @property
    def kind(self) -> type[np.floating[Any]]:
        """What to count in."""
        return np.float32 if self.n < _FLOAT32_EXACT else np.float64

    @cached_property
    def loss(self) -> Counts:
        """Squared error of each score, `(n,)`."""
        return ((self.score - self.outcome) ** 2).astype(self.kind)

    @cached_property
    def tie_end(self) -> NDArray[np.intp] | None:
        """Each row's last row of equal logit; None without ties."""
        if self.n < 2 or (np.diff(self.logit) != 0).all():
            return None
        return np.searchsorted(-self.logit, -self.logit, "right") - 1

    @cached_property
    def gaps(self) -> Floats:
        """Sum of `outcome - score` in each score bin, `(ECE_BINS,)`."""
        index = bin_of(self.score, ECE_BINS)
        sums = np.bincount(index, self.outcome - self.score, ECE_BINS)
        return np.asarray(sums, dtype=np.float64)

    @cached_property
    def bins(self) -> tuple[NDArray[np.intp] | None, Counts, NDArray[np.intp]]:
        """Rows by score bin: their order, `outcome - score`, first and last + 1 of each.

        The order is None where rows of a bin already follow one another.
        """
        index = bin_of(self.score, ECE_BINS)
        gap = (self.outcome - self.score).astype(self.kind)
        edges = np.arange(ECE_BINS + 1)
        if (np.diff(index) <= 0).all():  # scores fall with the logits, as they should
            at = np.searchsorted(-index, 1 - edges[::-1])[::-1]
            return None, gap, np.stack([at[1:], at[:-1]], axis=1)
        order = np.argsort(index, kind="stable")
        at = np.searchsorted(index[order], edges)
        return order, gap[order], np.stack([at[:-1], at[1:]], axis=1)


class Resamples(NamedTuple):
    """Metrics of a slice's resamples, `(resamples,)` float64 each.

    `ece_noise` is how far the bins' gaps lie from the rows' own, on the scale of `ece`.
    """

    auc: Floats
    ap: Floats
    ece: Floats
    ece_noise: Floats
    brier: Floats


class _Draws(NamedTuple):
    """A chunk of `k` resamples of one side."""

    counts: Counts  # (k, n)
    cumulative: Counts  # (k, n + 1), from the highest logit, 0 first
    loss: Floats  # (k,)
    gaps: Floats  # (k, ECE_BINS)


def bootstrap(
    pairs: Mapping[str, tuple[Side, Side]], resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Resamples]:
    """Resample every slice, its reals and its fakes apart.

    Args:
        pairs: Slice -> (reals, fakes), neither empty. Slices may share a `Side`.
        resamples: How many resamples.
        seed: The user's seed.
    """
    results = {name: np.empty((5, resamples)) for name in pairs}
    for names in _components(pairs):
        group = {name: _Pair(*pairs[name]) for name in names}
        sides = {side.key: side for name in names for side in pairs[name]}
        streams = {key: rng.generator(seed, "bootstrap", key) for key in sides}
        largest = max(side.n for side in sides.values())
        k = int(np.clip(_CHUNK_ELEMENTS // largest, 1, resamples))
        for start in range(0, resamples, k):
            stop = min(start + k, resamples)
            drawn = {
                key: _draw(side, stop - start, streams[key])
                for key, side in sides.items()
            }
            for name, pair in group.items():
                results[name][:, start:stop] = pair.measure(
                    drawn[pair.real.key], drawn[pair.fake.key]
                )
    return {name: Resamples(*values) for name, values in results.items()}


def draw_counts(n: int, k: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return how often each of `n` rows is drawn in each of `k` resamples of size n."""
    # Each raw 64-bit word gives two row numbers, `u * n >> 32` of its 32-bit halves: half
    # the time of `integers`, and off from uniform by less than n / 2**32, i.e. nothing.
    words = generator.bit_generator.random_raw((k, (n + 1) // 2))
    rows = words.view(np.uint32)[:, :n].astype(np.uint64)
    rows *= np.uint64(n)
    rows >>= np.uint64(32)
    rows += (np.arange(k, dtype=np.uint64) * np.uint64(n))[:, None]
    return np.bincount(rows.ravel().view(np.int64), minlength=k * n).reshape(k, n)


def rate_draws(
    count: int, n: int, resamples: int, generator: np.random.Generator
) -> Floats:
    """Return resampled rates of `count` in `n`, `(resamples,)`.

    Drawing n rows with replacement makes the count binomial. A rate of exactly 0 or 1
    never varies that way; it is drawn from the distribution whose quantiles are its
    Clopper-Pearson limits instead.
    """
    if 0 < count < n:
        return generator.binomial(n, count / n, resamples) / n
    tail = generator.beta(1, n, resamples)
    return tail if count == 0 else 1 - tail


class _Pair:
    """One slice: how its fakes interleave with its reals."""

    def __init__(self, real: Side, fake: Side) -> None:
        self.real, self.fake = real, fake
        self.gaps = real.gaps + fake.gaps
        self.upto = np.searchsorted(-real.logit, -fake.logit, "right")
        above = np.searchsorted(-real.logit, -fake.logit, "left")
        self.above = None if np.array_equal(above, self.upto) else above

    def measure(self, real: _Draws, fake: _Draws) -> Floats:
        """Return AUC, AP, ECE, its noise and Brier score of a chunk, `(5, k)`."""
        n_real, n_fake = self.real.n, self.fake.n
        upto = real.cumulative.take(self.upto, axis=1)
        beaten_by = _dot(fake.counts, upto)
        if self.above is not None:
            above = real.cumulative.take(self.above, axis=1)
            beaten_by = (beaten_by + _dot(fake.counts, above)) / 2
        hits = fake.cumulative[:, 1:]
        if self.fake.tie_end is not None:
            hits = hits.take(self.fake.tie_end, axis=1)
        upto += hits
        np.maximum(upto, 1, out=upto)  # 0 only where nothing was drawn
        np.divide(hits, upto, out=upto)
        precision = _dot(fake.counts, upto)
        n, gaps = n_real + n_fake, fake.gaps + real.gaps
        return np.stack(
            [
                1 - beaten_by / (n_real * n_fake),
                precision / n_fake,
                np.abs(gaps).sum(axis=1) / n,
                np.abs(gaps - self.gaps).sum(axis=1) / n,
                (fake.loss + real.loss) / n,
            ]
        )


def _draw(side: Side, k: int, generator: np.random.Generator) -> _Draws:
    drawn = draw_counts(side.n, k, generator)
    whole = np.zeros((k, side.n + 1), dtype=np.int32)
    np.cumsum(drawn, axis=1, out=whole[:, 1:])  # integers: 4 times as fast as floats
    counts, cumulative = drawn.astype(side.kind), whole.astype(side.kind)
    order, gap, bounds = side.bins
    by_bin = counts if order is None else counts.take(order, axis=1)
    gaps = np.zeros((k, ECE_BINS))
    for index, (first, end) in enumerate(bounds.tolist()):
        if first < end:
            gaps[:, index] = by_bin[:, first:end] @ gap[first:end]
    loss = counts @ side.loss
    return _Draws(counts, cumulative, loss.astype(np.float64), gaps)


def _dot(a: Counts, b: Counts) -> Floats:
    """Return the rows' dot products, summed exactly enough for an interval."""
    return np.asarray([x @ y for x, y in zip(a, b, strict=True)], dtype=np.float64)


def _components(pairs: Mapping[str, tuple[Side, Side]]) -> list[list[str]]:
    """Return the slices in groups that share no side with one another."""
    groups: list[tuple[set[str], list[str]]] = []
    for name, sides in pairs.items():
        keys = {side.key for side in sides}
        names = [name]
        joined = [group for group in groups if group[0] & keys]
        for other_keys, other_names in joined:
            keys, names = keys | other_keys, other_names + names
        groups = [each for each in groups if each not in joined] + [(keys, names)]
    return [names for _, names in groups]
