"""ViT-base, 224 px, patches of 16 (Dosovitskiy et al. 2021, arXiv 2010.11929): mudgal2023's ViT.

The class token into one logit. Pixels go to -1..1, as Google trained it.
"""

import keras

from kerasfaces.models import hub, weights
from kerasfaces.models.config import ModelConfig

DEFAULT_TAPS: tuple[str, ...] = ()
# the base stays as its weights are, unless train_base says otherwise
END_TO_END = False
PRESET = "mudgal2023"
EXTRA = "hub"
HUB = hub.Preset(
    name="vit_base_patch16_224_imagenet",
    handle="keras/vit/keras/vit_base_patch16_224_imagenet/4",
)
SIZES = hub.Sizes()


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    scale = hub.normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    return hub.transformer(config, hub.vit, SIZES, HUB, scale, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `hub.find_weights`)."""
    return hub.find_weights(text, "ViT-base, 224 px", HUB)


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: the width is in the configuration; the loader checks the shapes."""
    return 1.0
