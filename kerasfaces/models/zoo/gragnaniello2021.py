"""Gragnaniello et al. 2021 (arXiv 2104.02617): ResNet-50 that does not shrink at once.

What a generator leaves behind is fine detail, and an ordinary ResNet-50 throws three
quarters of it away twice before its first block. The authors' "NoDown" network
(github.com/grip-unina/GANimageDetection, `resnet50nodown.py`) gives the first
convolution *and* the max-pooling behind it stride 1: every block then sees maps four
times as wide and high, at sixteen times the work and memory. Its weights have ResNet-50's shapes, so the same files can be loaded.
"""

import keras

from kerasfaces.models.architecture import PixelNetwork
from kerasfaces.models.config import Options
from kerasfaces.models.zoo import resnet50

_FIRST = ("conv1_conv", "pool1_pool")


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


ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=resnet50.SOURCES,
    training="gragnaniello2021",
    base=lambda config, start: start.load(no_down()),
    preprocessing=lambda: [resnet50.preprocessing()],
)
