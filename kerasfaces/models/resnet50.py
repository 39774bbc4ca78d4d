"""ResNet50 (He et al. 2016, arXiv 1512.03385) as a frozen base with a head.

kabber2023: last layer, global average, Dense 512 ReLU, one unit.
"""

import keras

from kerasfaces.models.parts import assemble, weights
from kerasfaces.models.parts.config import ModelConfig
from kerasfaces.models.parts.layers import CaffePreprocessing

DEFAULT_TAPS = (
    "conv2_block3_out",
    "conv3_block4_out",
    "conv4_block3_out",
    "conv4_block6_out",
)
OFFICIAL = weights.Official(
    file="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    address="https://storage.googleapis.com/tensorflow/keras-applications/resnet/",
    md5="4d473c1dd8becc155b73f8504c6f6626",
)


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` sRGB 0..255 -> `(n, 1)` logit (see `assemble.detector`)."""
    preprocessing = CaffePreprocessing(name="preprocessing")
    return assemble.detector(config, _full_base, preprocessing, base_weights, seed)


def find_weights(text: str, alpha: float | None = None) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `weights.find`); ResNet50 has one width."""
    return weights.find(text, "ResNet50", OFFICIAL, shipped="")


def width_of(found: weights.BaseWeights) -> float:
    """Return 1: ResNet50 has one width; the loader checks the shapes."""
    return 1.0


def _full_base() -> keras.Model:
    return keras.applications.ResNet50(
        input_shape=(None, None, 3), include_top=False, weights=None
    )
