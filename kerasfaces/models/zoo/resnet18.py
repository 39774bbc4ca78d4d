"""ResNet-18 (He et al. 2016, arXiv 1512.03385): yu2024's first network.

All of it is trained, global average pooling into one logit. The document does not say
where it starts: from random weights, or with `weights="imagenet"` or a file from
keras-hub's ImageNet ones (converted from timm's, hence the normalisation).
"""

import keras

from kerasfaces.core.imports import optional_import
from kerasfaces.models.architecture import PixelNetwork, Start
from kerasfaces.models.config import ModelConfig, Options
from kerasfaces.models.layers import normalisation
from kerasfaces.models.published import KaggleFile
from kerasfaces.models.weights import Sources


def resnet18(config: ModelConfig, start: Start[Options]) -> keras.Model:
    """Return ResNet-18 without top, `(n, h, w, 3)` -> `(n, h/32, w/32, 512)`."""
    base = optional_import("keras_hub", "hub").models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[2, 2, 2, 2],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
        name="resnet18",
    )
    return start.load(base)


ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=Sources(
        "ResNet-18", imagenet=KaggleFile("keras/resnetv1/keras/resnet_18_imagenet/3")
    ),
    training="yu2024",
    extra="hub",
    base=resnet18,
    preprocessing=lambda: [normalisation()],
)
