"""Logistic regression on pixels: tian2023's baseline, "a single-layer fully connected network".

One weight per pixel and colour, one bias. It can find what is the same at the same place
of all fakes (a watermark, a border, an average face), and nothing else: a data set on
which it does well gives the classes away.
"""

import keras
from keras import layers

from kerasfaces.models import compared, weights
from kerasfaces.models.config import ModelConfig

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
PRESET = "tian2023"


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(image)
    same = keras.Input((None, None, 3), name="pixels")
    nothing = keras.Model(same, layers.Identity(name="identity")(same), name="pixels")
    return compared.whole(config, nothing, image, x, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Return None for `none`: there is no base to have weights for.

    Raises:
        InputError: Any other text.
    """
    compared.refuse_weights(text, "logistic regression")
    return None


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: it has one width."""
    return 1.0
