"""Images per combination of attributes -> how many of each to take, or how each weighs.

A cell is one value per attribute. Iterative proportional fitting (Deming & Stephan 1940) of
the numbers that are there gives every attribute its shares at once and keeps, as far as that
allows, how attributes go together.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Cell = tuple[str, ...]  # one value per attribute
# attribute -> value -> share, each summing to 1
Shares = Mapping[str, Mapping[str, float]]
Floats = NDArray[np.float64]
_ROUNDS = 500
_SETTLED = 1e-4  # images


def quotas(available: Mapping[Cell, int], shares: Shares, want: int) -> dict[Cell, int]:
    """Return how many images of each cell to take so that the marginals are as wanted.

    Never more than is there; what a scarce cell cannot give, the others give: single images
    change cells as long as that brings the marginals nearer. With too few images the total
    is `want` as long as there are as many, and the ratios give way.

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
    members, wanted = _marginals(cells, shares)
    take = _fitted(limit, members, wanted * want, limit)
    room = limit - take
    lacking = want - take.sum()
    if lacking > 0 and room.sum() > 0:
        take = take + room * min(1.0, lacking / room.sum())
    counts = np.floor(take + 1e-9).astype(np.int64)
    for i in np.argsort(counts - take, kind="stable"):
        if counts.sum() < want and counts[i] < limit[i]:
            counts[i] += 1
    counts = _exchanged(counts, limit, members, wanted * want)
    return {cell: int(n) for cell, n in zip(cells, counts, strict=True)}


def weights(available: Mapping[Cell, int], shares: Shares) -> dict[Cell, float]:
    """Return how much an image of each cell weighs so that the marginals are as wanted.

    The mean over all images is 1. A value that no image has gets no weight from anywhere:
    the others then share what is left in their own proportions.
    """
    cells = sorted(available)
    counts = np.array([available[cell] for cell in cells], dtype=np.float64)
    members, wanted = _marginals(cells, shares)
    total = counts.sum()
    fitted = _fitted(counts, members, wanted * total, np.full(len(cells), np.inf))
    fitted *= total / fitted.sum()
    return {cell: float(w) for cell, w in zip(cells, fitted / counts, strict=True)}


def _marginals(cells: list[Cell], shares: Shares) -> tuple[NDArray[np.bool_], Floats]:
    """Return which cells belong to which value, `(values, cells)`, and the values' shares."""
    parts = [
        ([cell[column] == value for cell in cells], share)
        for column, values in enumerate(shares.values())
        for value, share in values.items()
    ]
    members = np.array([each for each, _ in parts], dtype=bool)
    return members, np.array([share for _, share in parts], dtype=np.float64)


def _fitted(
    start: Floats, members: NDArray[np.bool_], wanted: Floats, limit: Floats
) -> Floats:
    take = start
    for _ in range(_ROUNDS):
        before = take
        for inside, number in zip(members, wanted, strict=True):
            total = (take * inside).sum()
            if total > 0:
                take = np.where(inside, take * (number / total), take)
        take = np.minimum(take, limit)
        if np.abs(take - before).max(initial=0.0) < _SETTLED:
            break
    return take


def _exchanged(
    counts: NDArray[np.int64], limit: Floats, members: NDArray[np.bool_], wanted: Floats
) -> NDArray[np.int64]:
    """Move single images between cells while the squared distance to `wanted` falls."""
    at = members.astype(np.float64)
    # Squared length of what a move from one cell to another changes in the marginals.
    own = at.sum(axis=0)
    length = own[:, None] + own[None, :] - 2 * at.T @ at
    while True:
        pull = at.T @ (at @ counts - wanted)
        change = length + 2 * (pull[None, :] - pull[:, None])
        change[counts == 0, :] = np.inf
        change[:, counts >= limit] = np.inf
        source, target = np.unravel_index(np.argmin(change), change.shape)
        if not change[source, target] < -1e-9:
            return counts
        counts[source] -= 1
        counts[target] += 1
