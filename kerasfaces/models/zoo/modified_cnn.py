"""yu2024's "modified CNN": each convolution has twice the filters and a larger kernel.

The first has 32 filters of 2×2, the next 64 of 3×3, and so on, a max-pool after each;
everything is flattened and goes through dense layers of 256, 128 and 64 units with
dropout into a two-way softmax. The text says five convolutions, the slide with the
parameters four: `model.options.layers`, 4. The dense layers are `model.head.units`.
"""

import dataclasses

import keras
from keras import layers

from kerasfaces.core.errors import InputError
from kerasfaces.models import config as configs
from kerasfaces.models.architecture import PixelNetwork, Start
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.weights import Sources


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(configs.Options):
    """Size of the network.

    Attributes:
        layers: Convolutions, a max-pool after each.
        filters: Maps of the first convolution; each has twice those of the one before.
        kernel_px: Side of the first kernel; each is one larger than the one before.
    """

    layers: int = 4
    filters: int = 32
    kernel_px: int = 2

    def __post_init__(self) -> None:
        self.check_at_least(1, "layers", "filters", "kernel_px")


def growing_cnn(config: ModelConfig, start: Start[Options]) -> keras.Model:
    """Return the convolutions.

    `(n, h, w, 3)` -> `(n, h / 2^l, w / 2^l, filters 2^(l - 1))` with `l` layers.
    """
    options = start.options
    image = keras.Input((None, None, 3), name="pixels")
    x = image
    for number in range(options.layers):
        x = layers.Conv2D(
            options.filters * 2**number,
            options.kernel_px + number,
            padding="same",
            activation="relu",
            kernel_initializer="he_uniform",
            name=f"conv{number + 1}",
        )(x)
        x = layers.MaxPooling2D(2, name=f"pool{number + 1}")(x)
    return start.load(keras.Model(image, x, name="modified_cnn"))


def _check(config: ModelConfig, options: Options) -> None:
    if config.size_px < 2**options.layers:
        raise InputError(
            f"model.options.layers: {config.size_px} px cannot be halved "
            f"{options.layers} times; take fewer layers or a larger model.size_px."
        )


ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=Sources("the modified CNN"),
    training="yu2024",
    base=growing_cnn,
    preprocessing=lambda: [layers.Rescaling(1 / 255, name="preprocessing")],
    check=_check,
)
