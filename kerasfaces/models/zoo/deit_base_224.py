"""DeiT-base distilled, 224 px (Touvron et al. 2021): yu2024's modified DeiT.

The classifier is removed; class and distillation token go through a dense "bottleneck"
layer into one logit (`train/presets/yu2024.py`).
"""

import keras

from kerasfaces.models import hub, weights
from kerasfaces.models.config import ModelConfig

DEFAULT_TAPS: tuple[str, ...] = ()
# the base stays as its weights are, unless train_base says otherwise
END_TO_END = False
PRESET = "yu2024"
EXTRA = "hub"
HUB = hub.Preset(
    name="deit_base_distilled_patch16_224_imagenet",
    handle="keras/deit/keras/deit_base_distilled_patch16_224_imagenet/1",
)
SIZES = hub.Sizes()


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    scale = hub.normalisation()
    return hub.transformer(config, hub.deit, SIZES, HUB, scale, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `hub.find_weights`)."""
    return hub.find_weights(text, "DeiT-base distilled, 224 px", HUB)


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: the width is in the configuration; the loader checks the shapes."""
    return 1.0
