"""UMAP (McInnes, Healy & Melville 2018), as kabber2023's figures 9 to 11."""

import warnings

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.imports import optional_import

PER_SOURCE = None
_NEIGHBOURS = 15  # umap-learn's own default


def project(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Return umap-learn's map, the same for the same seed, `(n, 2)`."""
    umap = optional_import("umap", "maps")
    with warnings.catch_warnings():
        # a seed takes one thread, and it says so; few images have a disconnected graph
        warnings.simplefilter("ignore")
        mapper = umap.UMAP(
            n_neighbors=min(_NEIGHBOURS, len(vectors) - 1), random_state=seed
        )
        return np.asarray(mapper.fit_transform(vectors), np.float64)
