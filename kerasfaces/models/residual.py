"""What a pixel differs by from the first of its block of four: traces of up-sampling.

Tan et al. 2024 ("Rethinking the Up-Sampling Operations in CNN-based Generative Network for
Generalizable Deepfake Detection", CVPR; arXiv 2312.10461) call `x - up(down(x))`
neighbouring pixel relationships: a decoder's last doubling leaves its kernel between
neighbours, and subtracting the block's first pixel leaves little else of the picture.
"""

from typing import Any

import keras
from keras import KerasTensor, layers, ops

from kerasfaces.core.files import Json
from kerasfaces.models.layers import Shape

_MIDDLE = 127.5


@keras.saving.register_keras_serializable(package="kerasfaces")
class NeighbourResidual(layers.Layer):
    """Image -> `clip(127.5 + gain (x - up(down(x))), 0, 255)`.

    `down` takes every other row and column, `up` repeats each pixel twice in both
    directions. Of a side of odd length the last row or column is compared with itself.

    Args:
        gain: Grey levels per grey level of difference.
    """

    def __init__(self, gain: float = 6.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gain = gain

    def call(self, image: KerasTensor) -> KerasTensor:
        """Map `(n, h, w, 3)`, 0..255, float or uint8, to float of the same shape."""
        image = ops.cast(image, self.compute_dtype)
        height, width = image.shape[1:3]
        first = image[:, ::2, ::2]
        coarse = ops.repeat(ops.repeat(first, 2, axis=1), 2, axis=2)
        difference = image - coarse[:, :height, :width]
        return ops.clip(_MIDDLE + self.gain * difference, 0.0, 255.0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> Json:
        """Return what builds the layer again."""
        return {**super().get_config(), "gain": self.gain}
