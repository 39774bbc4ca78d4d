"""DCT-CNN (Frank et al. 2020, arXiv 2003.08685): a small network on DCT coefficients.

Pixels become maps of standardised log coefficients: row and column are frequencies, no
longer positions. The transform is two matrix products, so it runs wherever Keras does.

The network is that of the authors' code (github.com/RUB-SysSec/GANDCTAnalysis,
`build_simple_cnn` in `src/models.py`): convolutions of 3, 8, 16 and 32 maps, average
pooling after the second and third, everything flattened, one unit. A coefficient's place
is its meaning, so nothing is pooled over places (`pooling="flatten"`). Theirs saw 128 px;
ours has the size it is given.
"""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops
from numpy.typing import NDArray

from kerasfaces.models.architecture import PixelNetwork
from kerasfaces.models.channel_layers import Standardize
from kerasfaces.models.config import Options
from kerasfaces.models.weights import Sources

# The authors add 1e-12, which float32 cannot tell from the rounding of the transform:
# a coefficient of 0 would come out anywhere between -27 and -10.
EPSILON = 1e-3
_MIDDLE = 127.5
_MAPS = (3, 8, 16, 32)
_POOLED = (2, 3)  # numbers of the convolutions that average pooling follows


def dct_matrix(size: int) -> NDArray[np.float32]:
    """Return `D`, `(size, size)` float32: `D @ x` is the orthonormal DCT-II of `x`.

    `D[u, x] = a(u) cos(pi (2x + 1) u / (2 size))`, a(0) = sqrt(1/size), else sqrt(2/size).
    """
    u, x = np.mgrid[:size, :size]
    matrix = np.cos(np.pi * (2 * x + 1) * u / (2 * size)) * np.sqrt(2 / size)
    matrix[0] = np.sqrt(1 / size)
    return np.asarray(matrix, np.float32)


@keras.saving.register_keras_serializable(package="kerasfaces")
class LogDct(layers.Layer):
    """`ln(|DCT-II of each colour| + EPSILON)`, orthonormal, over the whole image."""

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the two matrices, which are no weights."""
        height, width = input_shape[1:3]
        self._rows, self._columns = dct_matrix(height), dct_matrix(width)
        self._mean = np.zeros((height, width, 1), np.float32)
        self._mean[0, 0] = _MIDDLE * np.sqrt(height * width)

    def call(self, images: KerasTensor) -> KerasTensor:
        """Map `(n, s, s, c)`, 0..255, to the same shape, frequency 0 first on both axes."""
        # Without the middle grey, rounding leaves one more digit to small coefficients.
        centred = ops.cast(images, "float32") - _MIDDLE
        values = ops.einsum("uh,nhwc->nuwc", self._rows, centred)
        values = ops.einsum("vw,nuwc->nuvc", self._columns, values)
        return ops.log(ops.abs(values + self._mean) + EPSILON)


@keras.saving.register_keras_serializable(package="kerasfaces")
class StandardizeCoefficients(Standardize):
    """Zero mean and unit deviation of each coefficient, from training images.

    `fit` reads images and takes their `LogDct`; a call gets coefficients.
    """

    constant = 1e-4  # the rounding of a logarithm that is the same in all images

    def statistics_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return one mean and one deviation per coefficient."""
        return tuple(input_shape[1:])

    def values(self, examples: NDArray[Any]) -> NDArray[np.float32]:
        """Return the `LogDct` of images `(m, s, s, c)`, 0..255."""
        return np.asarray(ops.convert_to_numpy(LogDct()(examples)), np.float32)


def small_cnn() -> keras.Model:
    """Return the convolutions, `(n, s, s, 3)` -> `(n, s/4, s/4, 32)`, random weights."""
    image = keras.Input((None, None, 3), name="coefficients")
    x = image
    for number, maps in enumerate(_MAPS, start=1):
        x = layers.Conv2D(
            maps, 3, padding="same", activation="relu", name=f"conv{number}"
        )(x)
        if number in _POOLED:
            x = layers.AveragePooling2D(2, name=f"pool{number}")(x)
    return keras.Model(image, x, name="dct_cnn")


ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=Sources("DCT-CNN"),
    training="frank2020",
    base=lambda config, start: start.load(small_cnn()),
    preprocessing=lambda: [
        LogDct(name="log_dct"),
        StandardizeCoefficients(name="standardize_coefficients"),
    ],
)
