"""AutoGAN-Spec (Zhang et al. 2019, arXiv 1907.06515): a ResNet-34 on the log spectrum.

The classifier alone. The point of the paper is what it is trained on: not fakes but real
images that went through a simulated generator's up-sampling; `experiments/wan2023` makes
those. The authors cut the central 224 of 256 px; ours sees the size it is given.
"""

import keras

from kerasfaces.models import compared, weights
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.resnet import resnet34
from kerasfaces.models.spectral import LogSpectrum

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
PRESET = "zhang2019"


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = LogSpectrum(name="log_spectrum")(image)
    return compared.whole(config, resnet34(), image, x, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names (see `compared.find_unpublished`)."""
    return compared.find_unpublished(text, "ResNet-34")


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: ResNet-34 has one width; the loader checks the shapes."""
    return 1.0
