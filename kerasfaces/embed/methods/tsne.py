"""t-SNE (van der Maaten & Hinton 2008), 50 images per source as mudgal2023."""

import numpy as np
from numpy.typing import NDArray

PER_SOURCE = 50
_PERPLEXITY = 30.0


def project(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Return the map of scikit-learn's Barnes-Hut t-SNE, started at the PCA, `(n, 2)`."""
    from sklearn.manifold import TSNE

    tsne = TSNE(
        perplexity=min(_PERPLEXITY, (len(vectors) - 1) / 3),
        init="pca",
        random_state=seed,
    )
    return np.asarray(tsne.fit_transform(vectors), np.float64)
