"""Gragnaniello et al. 2021 (arXiv 2104.02617): ResNet-50 that does not shrink at once.

What a generator leaves behind is fine detail, and an ordinary ResNet-50 throws three
quarters of it away twice before its first block. The authors' "NoDown" network
(github.com/grip-unina/GANimageDetection, `resnet50nodown.py`) gives the first
convolution *and* the max-pooling behind it stride 1: every block then sees maps four
times as wide and high, at sixteen times the work and memory. Its weights have ResNet-50's shapes, so the same files can be loaded.
"""

import keras

from kerasfaces.models import compared, weights
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.layers import CaffePreprocessing
from kerasfaces.models.zoo import resnet50

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
PRESET = "gragnaniello2021"
_FIRST = ("conv1_conv", "pool1_pool")


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit."""
    keras.utils.set_random_seed(seed)
    image = compared.pixels(config)
    x = CaffePreprocessing(name="preprocessing")(image)
    return compared.whole(config, no_down(), image, x, base_weights, seed)


def find_weights(
    text: str, alpha: float | None = None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names, of ResNet50 without top."""
    return resnet50.find_weights(text, alpha, config)


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return 1: ResNet50 has one width; the loader checks the shapes."""
    return 1.0


def no_down() -> keras.Model:
    """Return Keras' ResNet50 with stride 1 in front, random weights.

    `(n, h, w, 3)` -> `(n, h/8, w/8, 2048)`.
    """

    def slower(layer: keras.layers.Layer) -> keras.layers.Layer:
        settings = layer.get_config()
        if layer.name in _FIRST:
            settings["strides"] = (1, 1)
        return layer.__class__.from_config(settings)

    full: keras.Model = keras.models.clone_model(
        resnet50.full_base(), clone_function=slower
    )
    return full
