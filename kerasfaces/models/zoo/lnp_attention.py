"""wan2023: noise pattern and spectra, joined by channel attention, into a classifier.

Channels of a store enter, `(n, h, w, c)`: 5 with 1-channel spectra, 9 with 3-channel
ones, 3 more with colours. They are standardised by statistics of the training data,
fused (`models/fusion.py`) and classified by MobileNetV2, ResNet-34 or ResNet-50, global
average pooling and one unit. Everything is trained; base weights are where it starts.

Weights made for three channels meet more of them either by `inflate`, which widens the
first convolution (`models/stem.py`), or by `project`, a learned 1×1 convolution to three.
"""

import keras

from kerasfaces.core.errors import InputError
from kerasfaces.models import assemble, fusion, stem, weights
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.resnet import resnet34
from kerasfaces.models.zoo import mobilenetv2, resnet50

DEFAULT_TAPS: tuple[str, ...] = ()
END_TO_END = True
# Keras' .999 (MobileNetV2) and .99 (ResNet-50) remember the first steps for epochs;
# the classifiers' own authors trained with .9 (in Keras' sense) and many more images.
_MOMENTUM = 0.95


def build(
    config: ModelConfig, base_weights: weights.BaseWeights | None = None, seed: int = 0
) -> keras.Model:
    """Return `(n, size, size, c)` channels in their own units -> `(n, 1)` logit.

    Args:
        config: The architecture; `config.channel_names` are the input's channels.
        base_weights: Where the classifier starts; None is at random.
        seed: Of all initial weights.

    Raises:
        InputError: The fusion does not fit the channels, or the weights the classifier.
    """
    keras.utils.set_random_seed(seed)
    names, kind = config.channel_names, config.channels.classifier
    scale = stem.IMAGENET_SD[kind] if base_weights else 1.0
    image = assemble.input_of(config)
    x = stem.Standardize(name="standardize_channels")(image)
    x = fusion.fuse(x, names, config.channels)
    if config.channels.stem == "project":
        x = stem.projection(seed, scale)(x)
        full = _classifier(config, 3)
        if base_weights:
            weights.load_into(full, base_weights)
    else:
        full = _inflated(config, len(names), base_weights, scale)
    for layer in full.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _MOMENTUM
    return assemble.whole(config, full, image, [x], None, None, seed)


def find_weights(
    text: str, alpha: float | None, config: ModelConfig | None = None
) -> weights.BaseWeights | None:
    """Find the file `--weights` names, for the classifier of `config`."""
    kind = (config or ModelConfig()).channels.classifier
    if kind == "mobilenetv2":
        return mobilenetv2.find_weights(text, alpha)
    if kind == "resnet50":
        return resnet50.find_weights(text)
    if text == "imagenet":
        raise InputError(
            "--weights imagenet: Keras publishes none for ResNet-34; use --weights none, a "
            "file, or model.channels.classifier=resnet50 or mobilenetv2."
        )
    return weights.find(text, "ResNet-34", weights.Official(file="", address=""), "")


def width_of(found: weights.BaseWeights, config: ModelConfig | None = None) -> float:
    """Return the width multiplier of a weights file; 1 for ResNets."""
    if (config or ModelConfig()).channels.classifier == "mobilenetv2":
        return mobilenetv2.width_of(found)
    return 1.0


def _classifier(config: ModelConfig, n_channels: int) -> keras.Model:
    kind = config.channels.classifier
    if kind == "mobilenetv2":
        return mobilenetv2.full_base(config.alpha or 1.0, n_channels)
    return (resnet34 if kind == "resnet34" else resnet50.full_base)(n_channels)


def _inflated(
    config: ModelConfig,
    n_channels: int,
    base_weights: weights.BaseWeights | None,
    scale: float,
) -> keras.Model:
    wide = _classifier(config, n_channels)
    if base_weights:
        narrow = _classifier(config, 3)
        weights.load_into(narrow, base_weights)
        stem.inflate(narrow, wide, scale)
    return wide
