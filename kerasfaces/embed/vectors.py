"""Images and a run -> one layer's vectors, and the few numbers that a projection takes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.run.folder import DetectorRun

FINAL, FEATURES = "final", "features"
LEAST = 10  # images of a map
_NUMBERS = 50  # that a projection takes; as usual before t-SNE and UMAP
_CONSTANT = 1e-6


def of_files(
    run: DetectorRun, files: list[Path], layer: str, store: Path | None = None
) -> tuple[NDArray[np.float32], list[str]]:
    """Return the layer of each file, `(n, width)`, and why there is none.

    Args:
        run: A finished run of a network.
        files: Absolute paths.
        layer: `final`, what the head's last layer reads; `features`, all that the base
            gives the head; or the name of one tap.
        store: A channel store that holds the images, of a run on channels.

    Raises:
        InputError: The run is no network's, or has no such layer.
    """
    from kerasfaces.run.predictor import Predictor

    predictor = Predictor(run)
    columns = None
    if layer not in (FINAL, FEATURES):
        columns = predictor.columns_of(layer)
    values, reasons, _ = predictor.embeddings(files, store, final=layer == FINAL)
    if not len(values):
        return values, reasons
    if columns is not None:
        values = values[:, columns]
    finite = [bool(np.isfinite(row).all()) for row in values]
    return values, [
        why or ("" if good else "the network gives no finite numbers for it")
        for why, good in zip(reasons, finite, strict=True)
    ]


def reduced(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Return what projections take of finite vectors `(n, width)`: standardised, 50 numbers.

    InputError where there are too few images, or all are alike.
    """
    n = len(vectors)
    if n < LEAST:
        raise InputError(
            f"A map needs at least {LEAST} readable images, and there are {n}; give more "
            "(another split, or a larger manifest)."
        )
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    spread = centred.std(axis=0)
    varies = spread > _CONSTANT * np.maximum(1, np.abs(vectors).max(axis=0))
    different = len(np.unique(vectors[:, varies], axis=0)) if varies.any() else 1
    if different < 3:
        raise InputError(
            f"The {n:,} images have {different} different vectors in this layer, so that "
            "there is nothing to map; choose another layer, or other images."
        )
    scaled = (centred[:, varies] / spread[varies]).astype(np.float32)
    if scaled.shape[1] <= _NUMBERS:
        return np.asarray(scaled, np.float32)
    from sklearn.decomposition import PCA

    count = min(_NUMBERS, n - 1)
    pca = PCA(count, svd_solver="randomized", random_state=seed)
    return np.asarray(pca.fit_transform(scaled), np.float32)
