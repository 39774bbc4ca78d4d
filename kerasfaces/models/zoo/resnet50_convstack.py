"""tian2023's model: ResNet50, then (four convolutions, batch normalisation) four times.

"A ResNet50 (pre-trained on ImageNet) on the top", that is at the input's end; the maps are
flattened and go through dense layers with dropout and batch normalisation between them,
one more with dropout, and the last one. Widths are not stated; ours are 128 maps of 3×3
throughout and the preset's 256, 128, 64 units. All of it is trained; `weights` are
ResNet50's. Its maps at the end are what the document's class activation maps show.
"""

import dataclasses

import keras
from keras import layers

from kerasfaces.models import config as configs
from kerasfaces.models.architecture import PixelNetwork, Start
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.zoo import resnet50

_BLOCKS, _CONVOLUTIONS = 4, 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(configs.Options):
    """Size of the stack.

    Attributes:
        filters: Maps of each of its convolutions.
    """

    filters: int = 128

    def __post_init__(self) -> None:
        self.check_at_least(1, "filters")


def stacked(config: ModelConfig, start: Start[Options]) -> keras.Model:
    """Return ResNet50 and the convolutions on its output, which keep its size."""
    first = start.load(resnet50.full_base())
    x = first.output
    for block in range(1, _BLOCKS + 1):
        for number in range(1, _CONVOLUTIONS + 1):
            x = layers.Conv2D(
                start.options.filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"stack{block}_conv{number}",
            )(x)
        x = layers.BatchNormalization(name=f"stack{block}_norm")(x)
    return keras.Model(first.input, x, name="resnet50_convstack")


ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=resnet50.SOURCES,
    training="tian2023",
    base=stacked,
    preprocessing=lambda: [resnet50.preprocessing()],
)
