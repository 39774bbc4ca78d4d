"""MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) as a frozen base with a head.

kabber2023 feeds the last layer's average to three dense layers; the forensic evidence
lives in the middle layers, so our default taps four of them.
"""

import functools
import warnings
from collections import Counter

import keras
from keras import layers

from kerasfaces.core.errors import InputError
from kerasfaces.models import assemble, weights
from kerasfaces.models.config import ModelConfig

DEFAULT_TAPS = tuple(f"block_{i}_expand_relu" for i in (6, 9, 11, 13))
ALPHAS = (1.0, 0.35, 0.5, 0.75, 1.3, 1.4)
END_TO_END = False  # the base stays as its weights are
SHIPPED = "forensic_mobilenetv2_035.npz"


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, c)` -> `(n, 1)` logit (see `assemble.detector`)."""

    def base() -> keras.Model:
        return full_base(config.alpha or 1.0)

    # What keras.applications calls mode "tf": -1..1.
    preprocessing = layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")
    return assemble.detector(config, base, preprocessing, base_weights, seed)


def find_weights(
    text: str, alpha: float | None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `weights.find`); `config` does not matter."""
    width = f"{alpha or 1.0:.2f}".rstrip("0")
    official = weights.Official(
        file="mobilenet_v2_weights_tf_dim_ordering_tf_kernels_"
        f"{width + '0' if width.endswith('.') else width}_224_no_top.h5",
        address="https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/",
    )
    return weights.find(text, "MobileNetV2", official, SHIPPED)


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return the width multiplier of a weights file, from its array shapes.

    Raises:
        InputError: No known width has these shapes.
    """
    got = weights.shapes(found)
    for alpha in ALPHAS:
        if _shapes(alpha) == got:
            return alpha
    raise InputError(
        f"{found.path}: its {got.total()} arrays are not MobileNetV2 without top at any known "
        f"width ({', '.join(map(str, sorted(ALPHAS)))})."
    )


@functools.cache
def _shapes(alpha: float) -> Counter[tuple[int, ...]]:
    return weights.expected_shapes(full_base(alpha))


def full_base(alpha: float, n_channels: int = 3) -> keras.Model:
    """Return the base without top, random weights."""
    with warnings.catch_warnings():
        # Keras warns of anything but 1 or 3 channels; ours has more on purpose.
        warnings.filterwarnings("ignore", "This model usually expects 1 or 3")
        return keras.applications.MobileNetV2(
            input_shape=(None, None, n_channels),
            alpha=alpha,
            include_top=False,
            weights=None,
        )
