"""Directions of the feature space that a head must not look along.

What tells cameras, photographers and collections apart moves a detector's logit although it
says nothing about generation; real photos of a source that it has not seen are then called
fake. Features are projected onto the complement of the directions in which the means of the
real sources differ, as concept erasure does with a concept's class means (Ravfogel et al.
2020, arXiv 2004.07667; Belrose et al. 2023, arXiv 2306.03819).
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops
from numpy.typing import NDArray

from kerasfaces.core.files import Json
from kerasfaces.models.layers import Shape

Array = NDArray[np.floating]
# Of the largest singular value: what is smaller is chance.
_LEAST = 0.02


@keras.saving.register_keras_serializable(package="kerasfaces")
class EraseDirections(keras.layers.Layer):
    """Project features onto the complement of some directions; a trained linear map.

    Before `directions` is set it changes nothing.

    Args:
        count: At most so many directions.
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count

    def build(self, input_shape: Shape) -> None:
        """Make room for the directions, `(width, count)`; those not in use are zero."""
        self.directions = self.add_weight(
            name="directions",
            shape=(input_shape[-1], self.count),
            initializer="zeros",
            trainable=False,
        )

    def call(self, features: KerasTensor) -> KerasTensor:
        """Return `(n, width)`, orthogonal to every direction."""
        directions = ops.cast(self.directions, features.dtype)
        along = ops.matmul(features, directions)
        return features - ops.matmul(along, ops.transpose(directions))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> Json:
        """Return what builds the layer again."""
        return {**super().get_config(), "count": self.count}


def directions(means: Sequence[Array], count: int) -> NDArray[np.float32]:
    """Return orthonormal directions in which means differ, `(width, count)`.

    Args:
        means: Of each source's standardised features, `(width,)` each.
        count: At most so many; columns that are not needed are zero.
    """
    stacked = np.stack(means).astype(np.float64)
    _, strengths, rows = np.linalg.svd(stacked - stacked.mean(0), full_matrices=False)
    used = int((strengths > _LEAST * max(strengths[0], 1e-12)).sum())
    used = min(used, count, len(means) - 1)
    chosen = np.zeros((stacked.shape[1], count), np.float32)
    chosen[:, :used] = rows[:used].T
    return chosen
