"""Wanted marginal ratios -> how many to take of every combination of attributes."""

from collections.abc import Mapping

import numpy as np

Cell = tuple[str, ...]
_ROUNDS = 500


def quotas(
    available: Mapping[Cell, int],
    shares: Mapping[str, Mapping[str, float]],
    want: int,
) -> dict[Cell, int]:
    """Return how many images of each cell to take so that the marginals are as wanted.

    Iterative proportional fitting from what is available, never more than is there; what
    a scarce cell cannot give, the others give. With too few images the total is `want` as
    long as there are as many, and the ratios give way.

    Args:
        available: Cell (one value per attribute, in the order of `shares`) -> images.
        shares: Attribute -> value -> share, each summing to 1.
        want: Images in all.

    Example:
        >>> quotas({("a",): 10, ("b",): 2}, {"x": {"a": 0.5, "b": 0.5}}, 6)
        {('a',): 4, ('b',): 2}
    """
    cells = sorted(available)
    limit = np.array([available[cell] for cell in cells], dtype=np.float64)
    want = min(want, int(limit.sum()))
    take = limit.copy()
    for _ in range(_ROUNDS):
        for column, parts in enumerate(shares.values()):
            for value, share in parts.items():
                members = np.array(
                    [cell[column] == value for cell in cells], dtype=bool
                )
                if take[members].sum() > 0:
                    take[members] *= share * want / take[members].sum()
        take = np.minimum(take, limit)
    take = _fill(take, limit, want)
    counts = np.floor(take + 1e-9).astype(int)
    for i in np.argsort(counts - take, kind="stable"):
        if counts.sum() < want and counts[i] < limit[i]:
            counts[i] += 1
    return {cell: int(n) for cell, n in zip(cells, counts, strict=True)}


def _fill(take: np.ndarray, limit: np.ndarray, want: int) -> np.ndarray:
    """Raise what is taken to `want` in all, in proportion to what is left."""
    room = limit - take
    missing = want - take.sum()
    if missing <= 0 or room.sum() <= 0:
        return take
    return np.asarray(take + room * min(1.0, missing / room.sum()))
