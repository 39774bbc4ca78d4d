"""Several small CNNs on random patches, their scores aggregated, after Mandelli et al. 2022.

tian2023 compares with "Detecting GAN-generated Images by Orthogonal Training of Multiple
CNNs" (arXiv 2203.02246). The authors' code (github.com/polimi-ispl/GAN-image-detection)
takes five EfficientNet-B4, each trained on other data, cuts about 200 patches of 128 px
out of large images, lets each network vote (if any patch is fake, the highest score, else
the lowest) and averages the five. Ours keeps the votes and the average, not the size: five
networks of four convolutions on patches of 64 px out of 256; while training each image
belongs to one network at a time (`models/patches.py`).
`model.pooling=mean` averages the patches instead.
"""

from typing import Any

import keras
from keras import layers

from kerasfaces.core.errors import InputError
from kerasfaces.models import compared, weights
from kerasfaces.models.config import CnnConfig, ModelConfig
from kerasfaces.models.patches import ByImage, OneAtATime, Patches

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
PRESET = "tian2023"
_WIDTHS = (0.5, 1, 2, 2)  # of `model.cnn.filters`; the first keeps the size


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit.

    Raises:
        InputError: A patch is larger than the image.
    """
    if config.cnn.patch_px > min(config.scales) * config.size_px:
        raise InputError(
            f"model.cnn.patch_px: patches of {config.cnn.patch_px} px do not fit into "
            f"model.size_px={config.size_px}."
        )
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(image)
    full = networks(config.cnn, seed)
    return compared.whole(config, full, image, x, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `compared.find_unpublished`)."""
    return compared.find_unpublished(text, "the aggregated CNNs")


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: the width is in the configuration; the loader checks the shapes."""
    return 1.0


def networks(config: CnnConfig, seed: int) -> keras.Model:
    """Return all networks side by side, random weights.

    `(n, h, w, 3)` -> `(n, p, 1, k)`: the logit of each of `p` patches by each of `k`
    networks; while training one random patch per network.
    """
    image = keras.Input((None, None, 3), name="pixels")
    scores = []
    for number in range(config.networks):
        name = f"net{number + 1}"
        patches = Patches(config.patch_px, seed + number, name=f"{name}_patches")(image)
        logit = _small_cnn(patches, config.filters, name)
        scores.append(ByImage(name=f"{name}_by_image")(logit, image))
    maps = layers.Concatenate(name="scores")(scores) if len(scores) > 1 else scores[0]
    maps = OneAtATime(seed, name="one_at_a_time")(maps)
    return keras.Model(image, maps, name="aggregated_cnns")


def _small_cnn(x: Any, filters: int, name: str) -> Any:
    for number, width in enumerate(_WIDTHS, start=1):
        x = layers.Conv2D(
            max(1, round(filters * width)),
            3,
            strides=1 if number == 1 else 2,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"{name}_conv{number}",
        )(x)
        x = layers.BatchNormalization(name=f"{name}_norm{number}")(x)
        x = layers.ReLU(name=f"{name}_relu{number}")(x)
    x = layers.GlobalAveragePooling2D(name=f"{name}_pool")(x)
    return layers.Dense(1, name=f"{name}_logit")(x)
