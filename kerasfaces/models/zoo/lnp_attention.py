"""wan2023: noise pattern and spectra, joined by channel attention, into a classifier.

Channels of a store enter, `(n, h, w, c)`: 5 with 1-channel spectra, 9 with 3-channel
ones, 3 more with colours. They are standardised by statistics of the training data,
fused (`models/attention.py`) and classified by MobileNetV2, ResNet-34 or ResNet-50, global
average pooling and one unit. Everything is trained; base weights are where it starts.

Weights made for three channels meet more of them either by `inflate`, which widens the
first convolution (`models/channel_layers.py`), or by `project`, a learned 1×1 convolution to three.
"""

import dataclasses
from typing import Literal

import keras

from kerasfaces.models import attention, network
from kerasfaces.models import channel_layers as inputs
from kerasfaces.models.architecture import Architecture, Start, quicken_norms
from kerasfaces.models.config import ChannelOptions, ModelConfig
from kerasfaces.models.resnet34 import resnet34
from kerasfaces.models.weights import BaseWeights, Sources
from kerasfaces.models.zoo import mobilenetv2, resnet50


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(ChannelOptions):
    """How the channels are joined, and what they go into.

    Attributes:
        fusion: wan2023's AS+PS+LNP, Att(AS+PS+LNP), Att(AS+PS)+LNP.
        attention: See `attention.py`.
        classifier: What the fused channels go into.
        stem: How a classifier made for 3 channels meets more of them: its first
            convolution widened, or a learned 1×1 convolution to 3 in front of it.
        alpha: Width multiplier of MobileNetV2; None is read from the weights, else 1.
    """

    fusion: Literal["concat", "attention_all", "attention_spectra"] = (
        "attention_spectra"
    )
    attention: Literal["equation", "published_code", "scaled"] = "equation"
    classifier: Literal["mobilenetv2", "resnet34", "resnet50"] = "mobilenetv2"
    stem: Literal["inflate", "project"] = "inflate"
    alpha: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class LnpAttention(Architecture[Options]):
    """All channels of a store at once, standardised, fused and classified."""

    end_to_end: bool = True
    takes: str = "channels"

    def join(self, config: ModelConfig, start: Start[Options]) -> keras.Model:
        """Return `(n, size, size, c)` channels in their own units -> `(n, 1)` logit.

        Raises:
            InputError: The fusion does not fit the channels, or the weights the
                classifier.
        """
        options, names = start.options, config.channel_names
        scale = inputs.IMAGENET_SD[options.classifier] if start.weights else 1.0
        image = network.input_of(config)
        x = inputs.Standardize(name="standardize_channels")(image)
        x = attention.fuse(x, names, options.fusion, options.attention)
        if options.stem == "project":
            x = inputs.projection(start.seed, scale)(x)
            full = start.load(_classifier(options, 3))
        else:
            full = _classifier(options, len(names))
            if start.weights:
                inputs.inflate(start.load(_classifier(options, 3)), full, scale)
        quicken_norms(full)
        return network.whole(config, full, image, [x], start.seed)

    def completed(
        self, config: ModelConfig, base_weights: BaseWeights | None = None
    ) -> ModelConfig:
        """Return a configuration with every option, the weights' width among them."""
        options = self.options_of(config)
        if options.alpha is None and base_weights is not None:
            wide = options.classifier == "mobilenetv2"
            alpha = mobilenetv2.width_of(base_weights) if wide else 1.0
            options = dataclasses.replace(options, alpha=alpha)
        return dataclasses.replace(config, options=options)

    def find_weights(
        self, text: str, config: ModelConfig | None = None
    ) -> BaseWeights | None:
        """Return the weights that a text names, for the classifier of `config`."""
        options = self.options_of(config) if config else self.options
        return _sources(options).find(text)


def _sources(options: Options) -> Sources:
    if options.classifier == "mobilenetv2":
        return mobilenetv2.sources(options.alpha)
    if options.classifier == "resnet50":
        return resnet50.SOURCES
    return Sources(
        "ResNet-34", instead=", or model.options.classifier=resnet50 or mobilenetv2"
    )


def _classifier(options: Options, n_channels: int) -> keras.Model:
    if options.classifier == "mobilenetv2":
        return mobilenetv2.full_base(options.alpha, n_channels)
    make = resnet34 if options.classifier == "resnet34" else resnet50.full_base
    return make(n_channels)


ARCHITECTURE = LnpAttention(
    options=Options(), sources=mobilenetv2.sources(None), training="wan2023"
)
