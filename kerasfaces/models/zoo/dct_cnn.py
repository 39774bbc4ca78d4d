"""DCT-CNN (Frank et al. 2020, arXiv 2003.08685): a small network on DCT coefficients.

The network is that of the authors' code (github.com/RUB-SysSec/GANDCTAnalysis,
`build_simple_cnn` in `src/models.py`): convolutions of 3, 8, 16 and 32 maps, average
pooling after the second and third, everything flattened, one unit. A coefficient's place
is its meaning, so nothing is pooled over places (`pooling="flatten"`). Theirs saw 128 px;
ours has the size it is given.
"""

import keras
from keras import layers

from kerasfaces.models.architecture import PixelNetwork
from kerasfaces.models.config import Options
from kerasfaces.models.dct import LogDct, StandardizeCoefficients
from kerasfaces.models.weights import Sources

_MAPS = (3, 8, 16, 32)
_POOLED = (2, 3)  # numbers of the convolutions that average pooling follows


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
