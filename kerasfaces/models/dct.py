"""Frank et al. 2020 (arXiv 2003.08685): log-scaled DCT coefficients, standardised.

Pixels enter, `(n, s, s, c)` maps of coefficients leave: row and column are frequencies,
no longer positions. The transform is two matrix products, so it runs wherever Keras does.
"""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from kerasfaces.models.stem import Standardize

# The authors add 1e-12, which float32 cannot tell from the rounding of the transform:
# a coefficient of 0 would come out anywhere between -27 and -10.
EPSILON = 1e-3
_MIDDLE = 127.5


def dct_matrix(size: int) -> NDArray[np.float32]:
    """Return `D`, `(size, size)` float32: `D @ x` is the orthonormal DCT-II of `x`.

    `D[u, x] = a(u) cos(pi (2x + 1) u / (2 size))`, a(0) = sqrt(1/size), else sqrt(2/size).
    """
    u, x = np.mgrid[:size, :size]
    matrix = np.cos(np.pi * (2 * x + 1) * u / (2 * size)) * np.sqrt(2 / size)
    matrix[0] = np.sqrt(1 / size)
    return np.asarray(matrix, np.float32)


@keras.saving.register_keras_serializable(package="kerasfaces")
class LogDct(keras.layers.Layer):
    """`ln(|DCT-II of each colour| + EPSILON)`, orthonormal, over the whole image.

    Call arguments:
        images: `(n, s, s, c)` float, 0..255.
    """

    def build(self, input_shape: Any) -> None:
        """Make the two matrices, which are no weights."""
        height, width = input_shape[1:3]
        self._rows, self._columns = dct_matrix(height), dct_matrix(width)
        self._mean = np.zeros((height, width, 1), np.float32)
        self._mean[0, 0] = _MIDDLE * np.sqrt(height * width)

    def call(self, images: Any) -> Any:
        """Return `(n, s, s, c)`: frequency 0 first on both axes."""
        # Without the middle grey, rounding leaves one more digit to small coefficients.
        centred = ops.cast(images, "float32") - _MIDDLE
        values = ops.einsum("uh,nhwc->nuwc", self._rows, centred)
        values = ops.einsum("vw,nuwc->nuvc", self._columns, values)
        return ops.log(ops.abs(values + self._mean) + EPSILON)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape


@keras.saving.register_keras_serializable(package="kerasfaces")
class StandardizeCoefficients(Standardize):
    """Zero mean and unit deviation of each coefficient, from training images.

    `fit` reads images and takes their `LogDct`; a call gets coefficients.

    Call arguments:
        values: `(n, s, s, c)`, of `LogDct`.
    """

    constant = 1e-4  # the rounding of a logarithm that is the same in all images

    def statistics_shape(self, input_shape: Any) -> tuple[int, ...]:
        """Return one mean and one deviation per coefficient."""
        return tuple(input_shape[1:])

    def values(self, examples: NDArray[Any]) -> NDArray[np.float32]:
        """Return the `LogDct` of images `(m, s, s, c)`, 0..255."""
        return np.asarray(ops.convert_to_numpy(LogDct()(examples)), np.float32)
