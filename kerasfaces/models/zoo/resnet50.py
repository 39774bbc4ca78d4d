"""ResNet50 (He et al. 2016, arXiv 1512.03385) as a frozen base with a head.

kabber2023: last layer, global average, Dense 512 ReLU, one unit.
"""

import keras

from kerasfaces.models.architecture import FrozenBase, application
from kerasfaces.models.config import ViewOptions
from kerasfaces.models.layers import CaffePreprocessing
from kerasfaces.models.published import KerasFile
from kerasfaces.models.weights import Sources

SOURCES = Sources(
    "ResNet50",
    imagenet=KerasFile(
        "resnet",
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="4d473c1dd8becc155b73f8504c6f6626",
    ),
)


def full_base(n_channels: int = 3) -> keras.Model:
    """Return the base without top, random weights."""
    return application(keras.applications.ResNet50, n_channels)


def preprocessing() -> CaffePreprocessing:
    """Return the layer from 0..255 to what its ImageNet weights were trained on."""
    return CaffePreprocessing(name="preprocessing")


ARCHITECTURE = FrozenBase(
    options=ViewOptions(),
    sources=SOURCES,
    taps=(
        "conv2_block3_out",
        "conv3_block4_out",
        "conv4_block3_out",
        "conv4_block6_out",
    ),
    base=lambda options: full_base(),
    preprocessing=preprocessing,
)
