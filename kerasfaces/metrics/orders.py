"""How systems rank the same rows, and resamples of those rows as counts."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kerasfaces.metrics.bootstrap import draw_counts
from kerasfaces.metrics.inputs import Floats

Counts = NDArray[np.int64]
_CHUNK_ELEMENTS = 2**18


class Order:
    """How one system ranks the fakes among the reals."""

    def __init__(self, real: Floats, fake: Floats) -> None:
        self.order = np.argsort(real, kind="stable")
        self.below = np.searchsorted(real[self.order], fake, "left")
        self.upto = np.searchsorted(real[self.order], fake, "right")

    def auc(self, reals: Counts, fakes: Counts) -> Floats:
        """Return AUCs `(k,)` of counts `(k, n_real)` and `(k, n_fake)`; NaN without pairs."""
        sums = cumulative(reals.take(self.order, axis=1))
        beaten = sums.take(self.below, axis=1) + sums.take(self.upto, axis=1)
        won = np.einsum("kn,kn->k", beaten, fakes).astype(np.float64)
        pairs = sums[:, -1] * fakes.sum(axis=1)
        with np.errstate(invalid="ignore"):  # 0 / 0 where a class was not drawn
            return np.asarray(won / (2.0 * pairs), dtype=np.float64)

    def orders_like(self, other: "Order") -> bool:
        """Return whether both systems order every real and every fake alike."""
        return all(map(np.array_equal, vars(self).values(), vars(other).values()))


def resampled(
    n_real: int, n_fake: int, resamples: int, generator: np.random.Generator
) -> Iterator[tuple[Counts, Counts]]:
    """Yield counts of the reals `(k, n_real)` and fakes `(k, n_fake)`, in chunks."""
    chunk = int(np.clip(_CHUNK_ELEMENTS // max(n_real, n_fake), 1, resamples))
    for start in range(0, resamples, chunk):
        k = min(chunk, resamples - start)
        yield draw_counts(n_real, k, generator), draw_counts(n_fake, k, generator)


def once(n_real: int, n_fake: int) -> tuple[Counts, Counts]:
    """Return the counts of the rows as they are."""
    return np.ones((1, n_real), np.int64), np.ones((1, n_fake), np.int64)


def cumulative(counts: Counts) -> Counts:
    """Return cumulative counts `(k, n + 1)`, 0 first."""
    sums = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int64)
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    return sums


def ranks(values: Floats) -> NDArray[np.intp]:
    """Return each value's rank among the different values, `(n,)`."""
    return np.unique(values, return_inverse=True)[1]
