"""tian2023's second baseline: (convolution, convolution, max-pool) twice, then two layers.

"The resulting output is then flattened and passed through a FC layer, followed by a
dropout layer and another FC layer." Widths are not stated; ours are 32 and 64 maps, and
the preset's 128 units with dropout .5.
"""

import dataclasses

import keras
from keras import layers

from kerasfaces.models import config as configs
from kerasfaces.models.architecture import PixelNetwork, Start
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.layers import symmetric_scale
from kerasfaces.models.weights import Sources

_SIDE = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(configs.Options):
    """Size of the network.

    Attributes:
        filters: Maps of the first two convolutions; the other two have twice as many.
    """

    filters: int = 32

    def __post_init__(self) -> None:
        self.check_at_least(1, "filters")


def two_blocks(config: ModelConfig, start: Start[Options]) -> keras.Model:
    """Return `(n, h, w, 3)` -> `(n, h/4, w/4, 2 filters)`."""
    image = keras.Input((None, None, 3), name="pixels")
    x = image
    for block in (1, 2):
        for number in (1, 2):
            x = layers.Conv2D(
                start.options.filters * block,
                _SIDE,
                padding="same",
                activation="relu",
                kernel_initializer="he_uniform",
                name=f"block{block}_conv{number}",
            )(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return start.load(keras.Model(image, x, name="two_layer_cnn"))


ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=Sources("the two-layer CNN"),
    training="tian2023",
    base=two_blocks,
    preprocessing=lambda: [symmetric_scale()],
)
