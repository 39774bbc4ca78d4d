"""tian2023's model: ResNet50, then (four convolutions, batch normalisation) four times.

"A ResNet50 (pre-trained on ImageNet) on the top", that is at the input's end; the maps are
flattened and go through dense layers with dropout and batch normalisation between them,
one more with dropout, and the last one. Widths are not stated; ours are 128 maps of 3×3
throughout and the preset's 256, 128, 64 units. All of it is trained; `--weights` are
ResNet50's. Its maps at the end are what the document's class activation maps show.
"""

from typing import Any

import keras
from keras import layers

from kerasfaces.models import compared, weights
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.layers import CaffePreprocessing
from kerasfaces.models.zoo import resnet50

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
PRESET = "tian2023"
_BLOCKS, _CONVOLUTIONS = 4, 4
_WIDTH_FACTOR = 4  # of `model.cnn.filters`


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = CaffePreprocessing(name="preprocessing")(image)
    first = resnet50.full_base()
    if base_weights is not None:
        weights.load_into(first, base_weights)
    full = stacked(first, _WIDTH_FACTOR * config.cnn.filters)
    return compared.whole(config, full, image, x, None, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names, of ResNet50 without top."""
    return resnet50.find_weights(text, alpha, config)


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: ResNet50 has one width; the loader checks the shapes."""
    return 1.0


def stacked(first: keras.Model, width: int) -> keras.Model:
    """Return `first` and the convolutions on its output, which keep its size."""
    x: Any = first.output
    for block in range(1, _BLOCKS + 1):
        for number in range(1, _CONVOLUTIONS + 1):
            x = layers.Conv2D(
                width,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"stack{block}_conv{number}",
            )(x)
        x = layers.BatchNormalization(name=f"stack{block}_norm")(x)
    return keras.Model(first.input, x, name="resnet50_convstack")
