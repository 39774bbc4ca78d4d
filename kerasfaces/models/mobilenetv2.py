"""MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) as a frozen base with a head.

kabber2023 feeds the last layer's average to three dense layers; the forensic evidence
lives in the middle layers, so our default taps four of them.
"""

import functools
from collections import Counter

import keras
from keras import layers

from kerasfaces.errors import InputError
from kerasfaces.models.parts import assemble, weights
from kerasfaces.models.parts.config import ModelConfig

DEFAULT_TAPS = tuple(f"block_{i}_expand_relu" for i in (6, 9, 11, 13))
ALPHAS = (1.0, 0.35, 0.5, 0.75, 1.3, 1.4)
SHIPPED = "forensic_mobilenetv2_035.npz"


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` sRGB 0..255 -> `(n, 1)` logit (see `assemble.detector`)."""

    def full_base() -> keras.Model:
        return _full_base(config.alpha or 1.0)

    # What keras.applications calls mode "tf": -1..1.
    preprocessing = layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")
    return assemble.detector(config, full_base, preprocessing, base_weights, seed)


def find_weights(text: str, alpha: float | None) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `weights.find`)."""
    width = f"{alpha or 1.0:.2f}".rstrip("0")
    official = weights.Official(
        file="mobilenet_v2_weights_tf_dim_ordering_tf_kernels_"
        f"{width + '0' if width.endswith('.') else width}_224_no_top.h5",
        address="https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/",
    )
    return weights.find(text, "MobileNetV2", official, SHIPPED)


def width_of(found: weights.BaseWeights) -> float:
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
    return weights.expected_shapes(_full_base(alpha))


def _full_base(alpha: float) -> keras.Model:
    return keras.applications.MobileNetV2(
        input_shape=(None, None, 3), alpha=alpha, include_top=False, weights=None
    )
