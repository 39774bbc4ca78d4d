"""yu2024's classical baseline: histograms of oriented gradients into a linear SVM.

Grey images of 128×128 px (luma of ITU-R BT.601, as OpenCV makes it); 9 orientations,
cells of 8×8 px, blocks of 2×2 cells, L2-Hys (Dalal and Triggs 2005), by scikit-image; the
document states grey, 128 px and the linear kernel. The SVM is scikit-learn's. Its decision
value is the logit that validation calibrates, like any other detector's.
"""

import dataclasses
import logging
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.baselines.config import BaselineConfig, BaselineModel
from kerasfaces.core.arrays import Arrays, Read
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.imports import optional_import
from kerasfaces.core.progress import progress

logger = logging.getLogger(__name__)

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_MAX_ITERATIONS = 20_000
_BATCH = 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class HogSvm(BaselineModel):
    """Settings of the histogram of gradients and of the support vector machine.

    Attributes:
        name: `hog_svm`.
        orientations: Bins of a histogram.
        cell_px: Side of a cell.
        block_cells: Cells on a block's side.
        penalty: The SVM's C: how much an image on the wrong side costs.
    """

    name: str = "hog_svm"
    orientations: int = 9
    cell_px: int = 8
    block_cells: int = 2
    penalty: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        for name in ("orientations", "cell_px", "block_cells"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"model.{name}: expected at least 1, got {getattr(self, name)}."
                )
        if self.cell_px * self.block_cells > self.size_px:
            raise InputError(
                f"model.cell_px: a block of {self.block_cells} cells of {self.cell_px} px "
                f"does not fit into {self.size_px} px."
            )
        if self.penalty <= 0:
            raise InputError(
                f"model.penalty: expected more than 0, got {self.penalty}."
            )

    @property
    def n_features(self) -> int:
        """Return the length of the feature vector."""
        blocks = self.size_px // self.cell_px - self.block_cells + 1
        return (blocks * self.block_cells) ** 2 * self.orientations


@dataclasses.dataclass(frozen=True, kw_only=True)
class CONFIG(BaselineConfig):
    """The run; see `BaselineConfig`."""

    model: HogSvm = dataclasses.field(default_factory=HogSvm)


def fit(config: CONFIG, read: Read, labels: NDArray[np.float32]) -> Arrays:
    """Return the SVM's `weights`, `(n_features,)`, and `bias`, `(1,)`.

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    values = features(config.model, read, len(labels))
    machine = LinearSVC(
        C=config.model.penalty,
        loss="hinge",
        class_weight="balanced" if config.class_weights else None,
        random_state=config.seed,
        max_iter=_MAX_ITERATIONS,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        machine.fit(values, labels > 0.5)
    if caught:
        logger.warning(
            "The SVM did not converge in %d iterations: %s",
            _MAX_ITERATIONS,
            caught[0].message,
        )
    return {"weights": machine.coef_[0], "bias": machine.intercept_}


def logits(
    config: CONFIG, arrays: Arrays, read: Read, count: int
) -> NDArray[np.float64]:
    """Return the decision value of each image, `(count,)`; positive = fake.

    Raises:
        MissingExtraError: scikit-image is not installed.
        RunError: The arrays are of another configuration.
    """
    weights, bias = arrays.get("weights"), arrays.get("bias")
    width = config.model.n_features
    if weights is None or bias is None or weights.shape != (width,) or bias.size != 1:
        shapes = {name: value.shape for name, value in arrays.items()}
        raise RunError(
            f"The stored SVM does not fit its configuration: expected {width} weights "
            f"and one bias, found {shapes}; train again."
        )
    values = features(config.model, read, count)
    return np.asarray(values @ weights + bias.ravel()[0], np.float64)


def features(model: HogSvm, read: Read, count: int) -> NDArray[np.float64]:
    """Return the histograms of images, `(count, n_features)`."""
    out = np.empty((count, model.n_features))
    with progress(count, "histograms of gradients") as add:
        for start in range(0, count, _BATCH):
            positions = np.arange(start, min(start + _BATCH, count))
            for place, image in zip(positions, read(positions), strict=True):
                out[place] = histograms(model, image)
            add(len(positions))
    return out


def histograms(model: HogSvm, image: NDArray[Any]) -> NDArray[np.float64]:
    """Return the feature vector of a `(size, size, 3)` uint8 image, `(n_features,)`."""
    feature = optional_import("skimage.feature", "baselines")
    vector: NDArray[np.float64] = feature.hog(
        image.astype(np.float32) @ _LUMA / 255,
        orientations=model.orientations,
        pixels_per_cell=(model.cell_px, model.cell_px),
        cells_per_block=(model.block_cells, model.block_cells),
        block_norm="L2-Hys",
    )
    return vector
