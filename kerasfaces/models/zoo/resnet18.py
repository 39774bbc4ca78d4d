"""ResNet-18 (He et al. 2016, arXiv 1512.03385): yu2024's first network.

All of it is trained, global average pooling into one logit. The document does not say
where it starts: from random weights, or with `--weights imagenet` or a file from
keras-hub's ImageNet ones (converted from timm's, hence the normalisation).
"""

import keras

from kerasfaces.models import compared, hub, weights
from kerasfaces.models.config import ModelConfig

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
PRESET = "yu2024"
EXTRA = "hub"
HUB = hub.Preset(
    name="resnet_18_imagenet", handle="keras/resnetv1/keras/resnet_18_imagenet/3"
)


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = hub.normalisation()(image)
    full = hub.resnet18()
    hub.load_into(full, base_weights, HUB)
    return compared.whole(config, full, image, x, None, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `hub.find_weights`)."""
    return hub.find_weights(text, "ResNet-18", HUB)


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: ResNet-18 has one width; the loader checks the shapes."""
    return 1.0
