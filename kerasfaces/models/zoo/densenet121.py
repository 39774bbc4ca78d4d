"""DenseNet-121 (Huang et al. 2017, arXiv 1608.06993): mudgal2023's convolutional network.

The last layer's 1,024 maps (the document's 1058 is a slip), averaged, into one logit; all
of it is trained by the document's recipe. `--set train_base=false` keeps it frozen.
"""

import warnings

import keras

from kerasfaces.models import compared, hub, weights
from kerasfaces.models.config import ModelConfig

DEFAULT_TAPS: tuple[str, ...] = ()
# the base stays as its weights are, unless train_base says otherwise
END_TO_END = False
PRESET = "mudgal2023"
OFFICIAL = weights.Official(
    file="densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
    address="https://storage.googleapis.com/tensorflow/keras-applications/densenet/",
    md5="30ee3e1110167f948a6b9946edeeb738",
)


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = hub.normalisation()(image)
    return compared.whole(config, full_base(), image, x, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `weights.find`)."""
    return weights.find(text, "DenseNet-121", OFFICIAL, shipped="")


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: DenseNet-121 has one width; the loader checks the shapes."""
    return 1.0


def full_base() -> keras.Model:
    """Return the base without top, random weights: `(n, h/32, w/32, 1024)`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This model usually expects 1 or 3")
        return keras.applications.DenseNet121(
            input_shape=(None, None, 3), include_top=False, weights=None
        )
