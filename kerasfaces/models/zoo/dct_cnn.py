"""DCT-CNN (Frank et al. 2020, arXiv 2003.08685): a small network on DCT coefficients.

The network is that of the authors' code (github.com/RUB-SysSec/GANDCTAnalysis,
`build_simple_cnn` in `src/models.py`): convolutions of 3, 8, 16 and 32 maps, average
pooling after the second and third, everything flattened, one unit. A coefficient's place
is its meaning, so nothing is pooled over places (`pooling="flatten"`). Theirs saw 128 px;
ours has the size it is given.
"""

import keras
from keras import layers

from kerasfaces.models import compared, weights
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.dct import LogDct, StandardizeCoefficients

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
PRESET = "frank2020"
_MAPS = (3, 8, 16, 32)
_POOLED = (2, 3)  # numbers of the convolutions that average pooling follows


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = LogDct(name="log_dct")(image)
    x = StandardizeCoefficients(name="standardize_coefficients")(x)
    return compared.whole(config, small_cnn(), image, x, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `compared.find_unpublished`)."""
    return compared.find_unpublished(text, "DCT-CNN")


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: it has one width; the loader checks the shapes."""
    return 1.0


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
