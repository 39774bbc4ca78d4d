"""tian2023's second baseline: (convolution, convolution, max-pool) twice, then two layers.

"The resulting output is then flattened and passed through a FC layer, followed by a
dropout layer and another FC layer." Widths are not stated; ours are 32 and 64 maps, and
the preset's 128 units with dropout .5.
"""

import keras
from keras import layers

from kerasfaces.models import compared, weights
from kerasfaces.models.config import ModelConfig

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
PRESET = "tian2023"
_SIDE = 3


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(image)
    full = two_blocks(config.cnn.filters)
    return compared.whole(config, full, image, x, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `compared.find_unpublished`)."""
    return compared.find_unpublished(text, "the two-layer CNN")


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: the width is in the configuration; the loader checks the shapes."""
    return 1.0


def two_blocks(filters: int) -> keras.Model:
    """Return `(n, h, w, 3)` -> `(n, h/4, w/4, 2 filters)`, random weights."""
    image = keras.Input((None, None, 3), name="pixels")
    x = image
    for block in (1, 2):
        for number in (1, 2):
            x = layers.Conv2D(
                filters * block,
                _SIDE,
                padding="same",
                activation="relu",
                kernel_initializer="he_uniform",
                name=f"block{block}_conv{number}",
            )(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return keras.Model(image, x, name="two_layer_cnn")
