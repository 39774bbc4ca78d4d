"""AutoGAN-Spec (Zhang et al. 2019, arXiv 1907.06515): a ResNet-34 on the log spectrum.

The classifier alone. The point of the paper is what it is trained on: not fakes but real
images that went through a simulated generator's up-sampling; `experiments/wan2023` makes
those. The authors cut the central 224 of 256 px; ours sees the size it is given.
"""

import keras
from keras import KerasTensor, ops

from kerasfaces.models.architecture import PixelNetwork
from kerasfaces.models.config import Options
from kerasfaces.models.resnet34 import resnet34
from kerasfaces.models.weights import Sources

EPSILON = 1e-3  # the authors', on pixels of 0..1
LOW, HIGH = 0.05, 0.95


@keras.saving.register_keras_serializable(package="kerasfaces")
class LogSpectrum(keras.layers.Layer):
    """`ln(|DFT| + 1e-3)` of pixels of 0..1, its 5th..95th percentile spread over -1..1.

    Percentiles are of each image and colour; what lies beyond is clipped. As in the
    authors' code (`GAN_Detection_Train.py`), frequency 0 stays in the corner.
    """

    def call(self, images: KerasTensor) -> KerasTensor:
        """Map `(n, h, w, c)`, 0..255, to float32 of the same shape, -1..1."""
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


def _percentile(ordered: KerasTensor, share: float) -> KerasTensor:
    """Return a quantile of sorted values along the last axis, between neighbours."""
    place = share * (ordered.shape[-1] - 1)
    at = int(place)
    rest = place - at
    return ordered[..., at : at + 1] * (1 - rest) + ordered[..., at + 1 : at + 2] * rest


ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=Sources("ResNet-34"),
    training="zhang2019",
    base=lambda config, start: start.load(resnet34()),
    preprocessing=lambda: [LogSpectrum(name="log_spectrum")],
)
