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

import dataclasses

import keras
from keras import layers

from kerasfaces.core.errors import InputError
from kerasfaces.models import config as configs
from kerasfaces.models.architecture import PixelNetwork, Start
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.layers import symmetric_scale
from kerasfaces.models.patches import ByImage, OneAtATime, Patches
from kerasfaces.models.weights import Sources

_WIDTHS = (0.5, 1, 2, 2)  # of `filters`; the first keeps the size


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(configs.Options):
    """How many networks there are, and of what size.

    Attributes:
        networks: Number of networks.
        filters: Maps of the second convolution; the others have half or twice as many.
        patch_px: Side of the patches they see.
    """

    networks: int = 5
    filters: int = 32
    patch_px: int = 64

    def __post_init__(self) -> None:
        """Check the ranges."""
        self.check_at_least(1, "networks", "filters")
        self.check_at_least(16, "patch_px")


def networks(config: ModelConfig, start: Start[Options]) -> keras.Model:
    """Return all networks side by side.

    `(n, h, w, 3)` -> `(n, p, 1, k)`: the logit of each of `p` patches by each of `k`
    networks; while training one random patch per network.
    """
    options, seed = start.options, start.seed
    image = keras.Input((None, None, 3), name="pixels")
    scores = []
    for number in range(options.networks):
        name = f"net{number + 1}"
        patches = Patches(options.patch_px, seed + number, name=f"{name}_patches")(
            image
        )
        logit = _small_cnn(patches, options.filters, name)
        scores.append(ByImage(name=f"{name}_by_image")(logit, image))
    maps = layers.Concatenate(name="scores")(scores) if len(scores) > 1 else scores[0]
    maps = OneAtATime(seed, name="one_at_a_time")(maps)
    return start.load(keras.Model(image, maps, name="aggregated_cnns"))


def _small_cnn(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
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


def _check(config: ModelConfig, options: Options) -> None:
    if options.patch_px > min(config.scales) * config.size_px:
        raise InputError(
            f"model.options.patch_px: patches of {options.patch_px} px do not fit into "
            f"model.size_px={config.size_px}."
        )


ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=Sources("the aggregated CNNs"),
    training="tian2023",
    base=networks,
    preprocessing=lambda: [symmetric_scale()],
    check=_check,
)
