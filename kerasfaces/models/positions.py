"""Position embeddings of vision transformers, resized to another grid of patches.

Bicubic as torch computes it, which is what the transformers' own code calls: Keys' cubic
of a = -3/4 at the nearest four positions, borders repeated; with antialiasing the kernel
of a = -1/2 widened to the step, and weights outside left out (as Pillow does).
"""

import math

import numpy as np
from numpy.typing import NDArray


def resized(
    positions: NDArray[np.float32], n_patches: int, antialias: bool = False
) -> NDArray[np.float32]:
    """Return position embeddings for another number of patches.

    Args:
        positions: `(p + g * g, c)` float: those of `p` tokens in front, which stay, and of
            a square grid row by row.
        n_patches: Patches of the new square grid.
        antialias: Whether a smaller grid averages over the old positions.
    """
    old, new = math.isqrt(len(positions)), math.isqrt(n_patches)
    if old == new:
        return positions
    n_front = len(positions) - old * old
    grid = positions[n_front:].reshape(old, old, -1).astype(np.float64)
    weights = _weights(old, new, antialias)
    grid = np.einsum("yi,xj,ijc->yxc", weights, weights, grid, optimize=True)
    patches = grid.reshape(n_patches, -1).astype(np.float32)
    return np.concatenate([positions[:n_front], patches])


def _weights(old: int, new: int, antialias: bool) -> NDArray[np.float64]:
    """Return `(new, old)` weights of the old positions; each row's sum is 1."""
    step = old / new
    width = max(step, 1.0) if antialias else 1.0
    centres = (np.arange(new) + 0.5) * step - 0.5
    weights = np.zeros((new, old))
    for row, centre in enumerate(centres):
        reach = 2 * width
        for place in range(math.ceil(centre - reach), math.floor(centre + reach) + 1):
            weight = _cubic((place - centre) / width, -0.5 if antialias else -0.75)
            if antialias and not 0 <= place < old:
                continue
            weights[row, min(max(place, 0), old - 1)] += weight
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _cubic(distance: float, a: float) -> float:
    """Keys 1981, equation 4 (general a)."""
    x = abs(distance)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0
