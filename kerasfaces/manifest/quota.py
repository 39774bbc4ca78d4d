"""Wanted marginal ratios -> how many to take of every combination of attributes."""

from collections.abc import Mapping

import numpy as np

Cell = tuple[str, ...]
_ROUNDS = 500
_SETTLED = 1e-4  # images


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
    masks = {
        (column, value): np.array([cell[column] == value for cell in cells], dtype=bool)
        for column, parts in enumerate(shares.values())
        for value in parts
    }
    take = limit
    for _ in range(_ROUNDS):
        before = take
        for column, parts in enumerate(shares.values()):
            for value, share in parts.items():
                members = masks[column, value]
                total = (take * members).sum()
                if total > 0:
                    take = np.where(members, take * (share * want / total), take)
        take = np.minimum(take, limit)
        if np.abs(take - before).max(initial=0.0) < _SETTLED:
            break
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
