"""Zhang et al. 2019 (arXiv 1907.06515): the log spectrum of each colour, as an image.

Pixels enter, `(n, h, w, c)` in -1..1 leave. Up-sampling in a generator repeats an image's
spectrum, which shows as bright spots at fixed frequencies.
"""

from typing import Any

import keras
from keras import ops

EPSILON = 1e-3  # the authors', on pixels of 0..1
LOW, HIGH = 0.05, 0.95


@keras.saving.register_keras_serializable(package="kerasfaces")
class LogSpectrum(keras.layers.Layer):
    """`ln(|DFT| + 1e-3)` of pixels of 0..1, its 5th..95th percentile spread over -1..1.

    Percentiles are of each image and colour; what lies beyond is clipped. As in the
    authors' code (`GAN_Detection_Train.py`), frequency 0 stays in the corner.

    Call arguments:
        images: `(n, h, w, c)` float, 0..255.
    """

    def call(self, images: Any) -> Any:
        """Return `(n, h, w, c)` float32, -1..1."""
        height, width, channels = images.shape[1:]
        planes = ops.transpose(ops.cast(images, "float32") / 255.0, (0, 3, 1, 2))
        real, imaginary = ops.fft2((planes, ops.zeros_like(planes)))
        magnitude = ops.sqrt(ops.square(real) + ops.square(imaginary))
        flat = ops.reshape(ops.log(magnitude + EPSILON), (-1, channels, height * width))
        ordered = ops.sort(flat, axis=-1)
        low = _percentile(ordered, LOW)
        high = _percentile(ordered, HIGH)
        # A constant image has a constant spectrum but for frequency 0.
        spread = 2.0 * (flat - low) / ops.maximum(high - low, 1e-6) - 1.0
        spread = ops.reshape(ops.clip(spread, -1.0, 1.0), (-1, channels, height, width))
        return ops.transpose(spread, (0, 2, 3, 1))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape


def _percentile(ordered: Any, share: float) -> Any:
    """Return a quantile of sorted values along the last axis, between neighbours."""
    place = share * (ordered.shape[-1] - 1)
    at = int(place)
    rest = place - at
    return ordered[..., at : at + 1] * (1 - rest) + ordered[..., at + 1 : at + 2] * rest
