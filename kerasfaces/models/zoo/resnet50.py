"""ResNet50 (He et al. 2016, arXiv 1512.03385) as a frozen base with a head.

kabber2023: last layer, global average, Dense 512 ReLU, one unit.
"""

import warnings

import keras

from kerasfaces.models import assemble, weights
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.layers import CaffePreprocessing

DEFAULT_TAPS = (
    "conv2_block3_out",
    "conv3_block4_out",
    "conv4_block3_out",
    "conv4_block6_out",
)
END_TO_END = False  # the base stays as its weights are
OFFICIAL = weights.Official(
    file="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    address="https://storage.googleapis.com/tensorflow/keras-applications/resnet/",
    md5="4d473c1dd8becc155b73f8504c6f6626",
)


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, c)` -> `(n, 1)` logit (see `assemble.detector`)."""
    preprocessing = CaffePreprocessing(name="preprocessing")
    return assemble.detector(config, full_base, preprocessing, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `weights.find`); ResNet50 has one width."""
    return weights.find(text, "ResNet50", OFFICIAL, shipped="")


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: ResNet50 has one width; the loader checks the shapes."""
    return 1.0


def full_base(n_channels: int = 3) -> keras.Model:
    """Return the base without top, random weights."""
    with warnings.catch_warnings():
        # Keras warns of anything but 1 or 3 channels; ours has more on purpose.
        warnings.filterwarnings("ignore", "This model usually expects 1 or 3")
        return keras.applications.ResNet50(
            input_shape=(None, None, n_channels), include_top=False, weights=None
        )
