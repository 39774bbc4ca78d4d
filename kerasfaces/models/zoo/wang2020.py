"""Wang et al. 2020 (arXiv 1912.11035): all of a ResNet-50 trained on pixels.

What makes it generalise is the augmentation, blur and JPEG (`train/presets/wang2020.py`).
The authors start from ImageNet weights: `--weights imagenet`, or a file.
"""

import keras

from kerasfaces.models import compared, weights
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.layers import CaffePreprocessing
from kerasfaces.models.zoo import resnet50

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
PRESET = "wang2020"


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = CaffePreprocessing(name="preprocessing")(image)
    full = resnet50.full_base()
    return compared.whole(config, full, image, x, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names, of ResNet50 without top."""
    return resnet50.find_weights(text, alpha, config)


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: ResNet50 has one width; the loader checks the shapes."""
    return 1.0
