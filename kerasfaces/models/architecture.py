"""What an architecture is: how it is built, where its weights come from, its options.

A file of `zoo/` exports one as `ARCHITECTURE`: a `FrozenBase` (an ImageNet network whose
features go into a head), a `PixelNetwork` (another document's network, trained whole on
pixels), or a class of its own.
"""

import dataclasses
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import keras
from keras import layers

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.models import network
from kerasfaces.models.channel_layers import COLOURS, Select, Standardize, ToPixels
from kerasfaces.models.config import ModelConfig, Options, ViewOptions
from kerasfaces.models.layers import SplitCrops
from kerasfaces.models.residual import NeighbourResidual
from kerasfaces.models.weights import BaseWeights, Sources, load_into

# Keras' .999 (MobileNetV2) and .99 (ResNet-50) remember the first steps for epochs of a
# few thousand images; the networks' own authors trained with .9 (in Keras' sense).
_MOMENTUM = 0.95

OptionsT = TypeVar("OptionsT", bound=Options)
ViewsT = TypeVar("ViewsT", bound=ViewOptions)


@dataclasses.dataclass(frozen=True)
class Start(Generic[OptionsT]):
    """Where a network starts.

    Attributes:
        options: Of its architecture.
        weights: Of its base; None is at random.
        sources: Where such weights are published, for messages.
        seed: Of everything random.
    """

    options: OptionsT
    weights: BaseWeights | None
    sources: Sources
    seed: int

    def load(self, base: keras.Model) -> keras.Model:
        """Return `base` with the weights in it, as it is without any.

        Raises:
            InputError: They are of another architecture.
        """
        if self.weights is not None:
            try:
                load_into(base, self.weights, self.sources.named)
            except InputError as error:
                raise InputError(f"{error}{self.sources.hint}") from error
        return base


@dataclasses.dataclass(frozen=True, kw_only=True)
class Architecture(Generic[OptionsT]):
    """A network by name; `build` makes one of a configuration, by the class's `join`.

    Attributes:
        options: What only this architecture can be asked for, at its defaults.
        sources: Where weights of its base come from.
        taps: Layers of the base that feed our default head.
        end_to_end: Whether everything is trained even where the base's weights are known.
        takes: `views` are images of three channels, each through the base; `pixels` are
            colours; `channels` are all channels of a store at once.
        training: The published training that is its default, in `train/presets`; empty
            where the default is ours.
        extra: The optional extra that it needs.
        defaults: Fields of our default `ModelConfig` in which it differs from others.
    """

    options: OptionsT
    sources: Sources
    taps: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    end_to_end: bool = False
    takes: str = "pixels"
    training: str = ""
    extra: str = ""

    def build(
        self,
        config: ModelConfig,
        base_weights: BaseWeights | None = None,
        seed: int = 0,
    ) -> keras.Model:
        """Return the uncompiled model, `(n, size, size, c)` -> `(n, 1)` logit.

        Args:
            config: Inputs, size, taps, head and options.
            base_weights: Where the base starts; None is at random.
            seed: Of all initial weights.

        Raises:
            InputError: The configuration or the weights do not fit the architecture.
        """
        options = self.options_of(config)
        if config.crops and self.takes != "views":
            raise InputError(
                f"model.crops: crops are for frozen bases; {config.name} sees the whole "
                "picture: leave it at 0."
            )
        keras.utils.set_random_seed(seed)  # random bases draw from the global generator
        return self.join(config, Start(options, base_weights, self.sources, seed))

    def join(self, config: ModelConfig, start: Start[OptionsT]) -> keras.Model:
        """Return the model; the global random generator is seeded."""
        raise NotImplementedError

    def options_of(self, config: ModelConfig) -> OptionsT:
        """Return a configuration's options.

        Raises:
            InputError: They are another architecture's.
        """
        options = config.options
        if type(options) is Options:
            return self.options
        if type(options) is not type(self.options):
            names = [field.name for field in dataclasses.fields(self.options)]
            raise InputError(
                f"model.options: those are of another model than {config.name}, whose "
                f"options are {', '.join(names) or 'none'}."
            )
        return options

    def completed(
        self, config: ModelConfig, base_weights: BaseWeights | None = None
    ) -> ModelConfig:
        """Return a configuration with every option, the weights' width among them."""
        return dataclasses.replace(config, options=self.options_of(config))

    def find_weights(
        self, text: str, config: ModelConfig | None = None
    ) -> BaseWeights | None:
        """Return the weights that a text names (`Sources.find`); None for `none`."""
        return self.sources.find(text)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrozenBase(Architecture[ViewsT]):
    """A base that stays as its weights are, and a head on what it sees.

    Attributes:
        base: Options -> the base without top, random weights.
        preprocessing: Makes the layer from 0..255 to what the base was trained on.
    """

    base: Callable[[ViewsT], keras.Model]
    preprocessing: Callable[[], layers.Layer]
    takes: str = "views"

    def join(self, config: ModelConfig, start: Start[ViewsT]) -> keras.Model:
        """Return the model; each of `config.views` goes through the base by itself.

        Raises:
            InputError: A view has not three channels, or a tap does not exist.
        """
        image = squares = network.input_of(config)
        if config.crops:
            squares = SplitCrops(config.crops, name="split_crops")(image)
        views = _views(
            config, start.options, squares
        )  # refused before weights are drawn
        return network.whole(
            config,
            self.full(config, start),
            image,
            views,
            start.seed,
            self.preprocessing(),
            # With known weights it never runs in training mode; from nothing it must.
            training=None if start.weights is None else False,
        )

    def full(self, config: ModelConfig, start: Start[ViewsT]) -> keras.Model:
        """Return the base without top, with the weights that its start brings.

        Raises:
            InputError: They are of another architecture.
        """
        return start.load(self.base(start.options))


@dataclasses.dataclass(frozen=True, kw_only=True)
class PixelNetwork(Architecture[OptionsT]):
    """A network on pixels, by default all of it trained.

    Attributes:
        base: The network without top, with the weights that its start brings.
        preprocessing: Makes the layers between pixels of 0..255 and the network.
        check: Refuses configurations that the network cannot have.
    """

    base: Callable[[ModelConfig, Start[OptionsT]], keras.Model]
    preprocessing: Callable[[], Sequence[layers.Layer]]
    check: Callable[[ModelConfig, OptionsT], None] = lambda config, options: None
    end_to_end: bool = True

    def join(self, config: ModelConfig, start: Start[OptionsT]) -> keras.Model:
        """Return the model; its input is `(n, size, size, 3)`, 0..255.

        Raises:
            InputError: The configuration asks for other channels than colours, or for
                what the network cannot have.
        """
        if not config.is_rgb:
            raise InputError(
                f"model.inputs: {config.name} takes pixels, rgb; got "
                f"{', '.join(config.inputs)}. For channels use `model='lnp_attention'`."
            )
        self.check(config, start.options)
        image = x = network.input_of(config)
        for layer in self.preprocessing():
            x = layer(x)
        full = self.base(config, start)
        quicken_norms(full)
        return network.whole(config, full, image, [x], start.seed)


def quicken_norms(full: keras.Model) -> None:
    """Let batch normalisation forget its first steps within a small data set's epoch."""
    for layer in full.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = _MOMENTUM


def application(
    kind: Callable[..., keras.Model], n_channels: int = 3, **settings: float
) -> keras.Model:
    """Return a network of `keras.applications` without top, random weights."""
    with warnings.catch_warnings():
        # Keras warns of anything but 1 or 3 channels; ours has more on purpose.
        warnings.filterwarnings("ignore", "This model usually expects 1 or 3")
        return kind(
            input_shape=(None, None, n_channels),
            include_top=False,
            weights=None,
            **settings,
        )


def _views(
    config: ModelConfig, options: ViewOptions, image: keras.KerasTensor
) -> list[keras.KerasTensor]:
    """Return one three-channel image, 0..255, per view."""
    for text, view in zip(config.inputs, config.views, strict=True):
        if len(view) != 3:
            raise InputError(
                f"model.inputs: {config.name} sees three channels at a time, got {quoted(text)} "
                f"with {len(view)}; separate images by commas (rgb,lnp), repeat a channel "
                "(amplitude+amplitude+amplitude), or use `model='lnp_attention'`."
            )
    names = config.channel_names
    x = image
    if not set(names) <= set(COLOURS):
        if options.standardize:
            colours = [i for i, name in enumerate(names) if name in COLOURS]
            x = Standardize(colours, name="standardize_channels")(x)
        x = ToPixels(names, options.gain, name="to_pixels")(x)
    if config.is_rgb and options.residual != "none":
        residual = NeighbourResidual(options.residual_gain, name="residual")(x)
        return [residual] if options.residual == "alone" else [x, residual]
    if options.residual != "none":
        raise InputError(
            "model.options.residual: is made of pixels; leave model.inputs at rgb."
        )
    if config.views == (names,):
        return [x]
    return [
        Select([names.index(name) for name in view], name=f"view_{number}")(x)
        for number, view in enumerate(config.views)
    ]
