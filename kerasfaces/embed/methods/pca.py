"""The two directions of largest variance: fast, linear, distances keep their meaning."""

import numpy as np
from numpy.typing import NDArray

PER_SOURCE = None


def project(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Return the first two principal components, `(n, 2)`."""
    from sklearn.decomposition import PCA

    fitted = PCA(2, svd_solver="randomized", random_state=seed).fit_transform(vectors)
    return np.asarray(fitted, np.float64)
