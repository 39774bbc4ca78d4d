"""yu2024's "modified CNN": each convolution has twice the filters and a larger kernel.

The first has 32 filters of 2×2, the next 64 of 3×3, and so on, a max-pool after each;
everything is flattened and goes through dense layers of 256, 128 and 64 units with
dropout into a two-way softmax. The text says five convolutions, the slide with the
parameters four: `model.cnn.layers`, 4. Filters and the first kernel's side are
`model.cnn.filters` and `model.cnn.kernel_px`, the dense layers `model.head.units`.
"""

import keras
from keras import layers

from kerasfaces.core.errors import InputError
from kerasfaces.models import compared, weights
from kerasfaces.models.config import CnnConfig, ModelConfig

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
PRESET = "yu2024"


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit.

    Raises:
        InputError: More max-pools than the image can be halved.
    """
    if config.size_px < 2**config.cnn.layers:
        raise InputError(
            f"model.cnn.layers: {config.size_px} px cannot be halved "
            f"{config.cnn.layers} times; take fewer layers or a larger model.size_px."
        )
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = layers.Rescaling(1 / 255, name="preprocessing")(image)
    full = growing_cnn(config.cnn)
    return compared.whole(config, full, image, x, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `compared.find_unpublished`)."""
    return compared.find_unpublished(text, "the modified CNN")


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: the width is in the configuration; the loader checks the shapes."""
    return 1.0


def growing_cnn(config: CnnConfig) -> keras.Model:
    """Return the convolutions, random weights.

    `(n, h, w, 3)` -> `(n, h / 2^l, w / 2^l, filters 2^(l - 1))` with `l` layers.
    """
    image = keras.Input((None, None, 3), name="pixels")
    x = image
    for number in range(config.layers):
        x = layers.Conv2D(
            config.filters * 2**number,
            config.kernel_px + number,
            padding="same",
            activation="relu",
            kernel_initializer="he_uniform",
            name=f"conv{number + 1}",
        )(x)
        x = layers.MaxPooling2D(2, name=f"pool{number + 1}")(x)
    return keras.Model(image, x, name="modified_cnn")
