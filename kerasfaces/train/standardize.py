"""Mean and spread of features on training data, read in pieces."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 4096
# A feature that varies less than this on training data carries nothing.
_CONSTANT = 1e-2


def moments(
    readers: Sequence[Any],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and variance of each feature, `(n_features,)`; 1 where constant.

    Args:
        readers: One per view: positions `(m,)` -> `(m, n_features)`.
    """
    total = np.zeros(readers[0].shape, np.float64)
    squares, count = total.copy(), 0
    for reader in readers:
        for start in range(0, len(reader), _CHUNK):
            part = reader(np.arange(start, min(start + _CHUNK, len(reader))))
            part = part.astype(np.float64)
            total += part.sum(axis=0)
            squares += np.square(part).sum(axis=0)
            count += len(part)
    mean = total / count
    variance = np.maximum(squares / count - np.square(mean), 0.0)
    variance[variance < _CONSTANT**2] = 1.0
    return mean.astype(np.float32), variance.astype(np.float32)


def adapt(layer: Any, readers: Sequence[Any]) -> None:
    """Set a Normalization layer from training features."""
    mean, variance = moments(readers)
    layer.adapt_mean.assign(mean)
    layer.adapt_variance.assign(variance)
    layer.finalize_state()
