"""MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) as a frozen base with a head.

kabber2023 feeds the last layer's average to three dense layers; the forensic evidence
lives in the middle layers, so our default taps four of them.
"""

import dataclasses
import math

import keras

from kerasfaces.core.errors import InputError
from kerasfaces.models import weights
from kerasfaces.models.architecture import FrozenBase, application
from kerasfaces.models.config import ModelConfig, ViewOptions
from kerasfaces.models.layers import symmetric_scale
from kerasfaces.models.published import KerasFile
from kerasfaces.models.weights import BaseWeights, Sources

# Width multiplier -> numbers in the weights of the base without top.
PARAMETERS = {
    0.35: 410_208,
    0.5: 706_224,
    0.75: 1_382_064,
    1.0: 2_257_984,
    1.3: 3_766_048,
    1.4: 4_363_712,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(ViewOptions):
    """Its width, and what it does with channels that are not colours.

    Attributes:
        alpha: Width multiplier; None is read from the weights, else 1.
    """

    alpha: float | None = None


class MobileNetV2(FrozenBase[Options]):
    """A base of several widths, each with weights of its own."""

    def find_weights(
        self, text: str, config: ModelConfig | None = None
    ) -> BaseWeights | None:
        """Return the weights that a text names, for the width that `config` states."""
        alpha = self.options_of(config).alpha if config else None
        return sources(alpha).find(text)

    def completed(
        self, config: ModelConfig, base_weights: BaseWeights | None = None
    ) -> ModelConfig:
        """Return a configuration with every option, the weights' width among them."""
        options = self.options_of(config)
        if options.alpha is None and base_weights is not None:
            options = dataclasses.replace(options, alpha=width_of(base_weights))
        return dataclasses.replace(config, options=options)


def sources(alpha: float | None) -> Sources:
    """Return where weights of a width come from; None is 1."""
    width = alpha or 1.0
    file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{width}_224_no_top.h5"
    return Sources(
        "MobileNetV2",
        imagenet=KerasFile("mobilenet_v2", file),
        shipped="forensic_mobilenetv2_035.npz",
    )


def width_of(base_weights: BaseWeights) -> float:
    """Return the width multiplier of a weights file, from the number of its numbers.

    Raises:
        InputError: No known width has so many.
    """
    counts = weights.shapes(base_weights)
    total = sum(math.prod(shape) * count for shape, count in counts.items())
    for alpha, n_parameters in PARAMETERS.items():
        if total == n_parameters:
            return alpha
    raise InputError(
        f"{base_weights.path}: its {counts.total()} arrays are not MobileNetV2 without top "
        f"at any known width ({', '.join(map(str, PARAMETERS))})."
    )


def full_base(alpha: float | None, n_channels: int = 3) -> keras.Model:
    """Return the base without top, random weights."""
    return application(keras.applications.MobileNetV2, n_channels, alpha=alpha or 1.0)


ARCHITECTURE = MobileNetV2(
    options=Options(),
    sources=sources(None),
    taps=tuple(f"block_{i}_expand_relu" for i in (6, 9, 11, 13)),
    base=lambda options: full_base(options.alpha),
    preprocessing=symmetric_scale,  # what keras.applications calls mode "tf"
)
