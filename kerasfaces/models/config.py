"""What a model is: everything needed to build it again from JSON, weights apart."""

import dataclasses
from typing import Literal

from kerasfaces.core import config
from kerasfaces.core.errors import InputError
from kerasfaces.images import MAX_SIZE_PX, MIN_SIZE_PX
from kerasfaces.images.crops import MAX_CROPS
from kerasfaces.models import catalogue

GROUPS = {
    "rgb": ("red", "green", "blue"),
    "lnp": ("lnp_red", "lnp_green", "lnp_blue"),
    "spectra": ("amplitude", "phase"),
    "spectra3": tuple(
        f"{kind}_{colour}"
        for kind in ("amplitude", "phase")
        for colour in ("red", "green", "blue")
    ),
}


def _check(holds: bool, config: object, field: str, expected: str) -> None:
    """Refuse a value; `field` is its place in the whole configuration."""
    if not holds:
        value = getattr(config, field.rpartition(".")[2])
        raise InputError(f"{field}: expected {expected}, got {value}.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """The trained part on top of the base.

    Attributes:
        units: Widths of the hidden ReLU layers; empty is logistic regression.
        dropout: Dropped fraction after each hidden layer, 0..1 (after the input if none).
        l2: Weight penalty of every dense kernel, by `gradient`.
        standardize: Scale each feature to zero mean and unit variance on training data.
        erase: Remove at most so many directions in which the means of the training reals'
            sources differ (`models.erasure`), so that a camera is no reason.
        solver: `gradient` descends on the loss; `discriminant` is one linear layer in
            closed form (`train.discriminant`), made for generators that training lacks.
        shrinkage: Of the discriminant: its ridge, in units of the mean variance inside
            sources.
        between: Of the discriminant: how much what generators differ by counts against a
            direction; 0 is Fisher's.
        batch_norm: Batch normalisation between hidden layers, so not after the last.
        output: `logit` is one unit; `softmax` two, of which the logit is fake minus real;
            `average` the mean of the features, which are scores already.
    """

    units: tuple[int, ...] = ()
    dropout: float = 0.0
    l2: float = 0.0
    standardize: bool = True
    erase: int = 0
    solver: Literal["gradient", "discriminant"] = "gradient"
    shrinkage: float = 10.0
    between: float = 20.0
    batch_norm: bool = False
    output: Literal["logit", "softmax", "average"] = "logit"

    def __post_init__(self) -> None:
        _check(
            min(self.units, default=1) >= 1, self, "head.units", "widths of at least 1"
        )
        _check(0 <= self.dropout < 1, self, "head.dropout", "0 <= dropout < 1")
        _check(self.l2 >= 0, self, "head.l2", "at least 0")
        _check(0 <= self.erase <= 64, self, "head.erase", "0..64")
        if self.erase and not self.standardize:
            raise InputError(
                "head.erase: works on standardised features; leave standardize."
            )
        _check(self.shrinkage > 0, self, "head.shrinkage", "more than 0")
        _check(self.between >= 0, self, "head.between", "at least 0")
        if self.solver == "discriminant" and (
            self.units or self.dropout or self.output != "logit"
        ):
            raise InputError(
                "head.solver: the discriminant is one linear layer; leave units, dropout and "
                "output out."
            )
        if self.output == "average" and (self.units or self.dropout or self.l2):
            raise InputError(
                "head.output: average has no weights; leave units, dropout and l2 out."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What only some architectures can be asked for; this one has nothing of the kind.

    In a `ModelConfig` it stands for the defaults of whatever architecture is named.
    """

    def check_at_least(self, least: int, *names: str) -> None:
        """Check whole numbers.

        Raises:
            InputError: One of the named options is lower.
        """
        for name in names:
            enough = getattr(self, name) >= least
            _check(enough, self, f"model.options.{name}", f"at least {least}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelOptions(Options):
    """Options of every architecture that can see the channels of a store.

    Attributes:
        amplitude: The kind of amplitude the store must hold (`spectrum.amplitude`); empty
            takes any.
    """

    amplitude: Literal["", "log", "raw", "liu2022"] = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ViewOptions(ChannelOptions):
    """Options of a base that sees three channels at a time, as if they were an image.

    Attributes:
        gain: Grey levels per unit of a channel's value (`ToPixels`).
        standardize: The unit is the channel's standard deviation on training data instead
            of its own (features are then cached per training set).
        residual: Of pixels: `alone` lets the base see what neighbouring pixels differ by
            (`models.residual`) in place of the picture, `beside` both; `none` the picture.
        residual_gain: Grey levels per grey level of that difference.
    """

    gain: float = 10.0
    standardize: bool = False
    residual: Literal["none", "alone", "beside"] = "none"
    residual_gain: float = 6.0

    def __post_init__(self) -> None:
        _check(self.gain > 0, self, "model.options.gain", "more than 0")
        positive = self.residual_gain > 0
        _check(positive, self, "model.options.residual_gain", "more than 0")


def default_options(name: str) -> Options:
    """Return the options of an architecture, each at its default."""
    options: Options = catalogue.load(name).options
    return options


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The architecture of one detector, JSON in and out.

    Attributes:
        name: An architecture (`catalogue.names`).
        inputs: Channels the model sees, names joined by `+`; `rgb`, `lnp`, `spectra` and
            `spectra3` stand for theirs. A frozen base sees each text's three channels as
            one image and the features are concatenated (`rgb,lnp`); lnp_attention takes
            all together (`lnp+spectra`).
        size_px: Side of the square input.
        taps: Base layers that feed the head; empty is the base's last layer.
        pooling: `mean`, `mean_std` (mean and standard deviation over each map),
            `flatten` (every position is a feature), `vote` (a map's largest value if any
            is positive, else its smallest), `token` (transformers: the tokens that
            stand for the whole image), `cls` (the first of those), or `cls_mean_std` (it,
            and mean and standard deviation over the patches).
        scales: Sides the base sees, as multiples of `size_px`; features are concatenated.
        crops: Squares of `size_px` that are cut at a picture's own resolution; the base
            sees each, and features are their means. 0 is the whole picture, resized.
        head: The trained part.
        options: What only the named architecture can be asked for.
    """

    name: str = "mobilenetv2"
    inputs: tuple[str, ...] = ("rgb",)
    size_px: int = 256
    taps: tuple[str, ...] = ()
    pooling: Literal[
        "mean", "mean_std", "flatten", "vote", "token", "cls", "cls_mean_std"
    ] = "mean"
    scales: tuple[float, ...] = (1.0,)
    crops: int = 0
    head: HeadConfig = dataclasses.field(default_factory=HeadConfig)
    options: Options = dataclasses.field(
        default_factory=Options, metadata=config.defaults_of("name", default_options)
    )

    def __post_init__(self) -> None:
        if not self.inputs or not all(all(view) for view in self.views):
            raise InputError(
                "model.inputs: expected channel names joined by +, e.g. rgb or "
                f"lnp+spectra, got {', '.join(map(repr, self.inputs)) or 'nothing'}."
            )
        fits = MIN_SIZE_PX <= self.size_px <= MAX_SIZE_PX
        _check(fits, self, "model.size_px", f"{MIN_SIZE_PX}..{MAX_SIZE_PX}")
        fits = 0 <= self.crops <= MAX_CROPS
        _check(fits, self, "model.crops", f"0..{MAX_CROPS}")
        if self.crops and not self.is_rgb:
            raise InputError(
                "model.crops: squares are cut from pictures, not from a store's channels; "
                f"leave it at 0 for {', '.join(self.inputs)}."
            )
        positive = min(self.scales, default=0) > 0
        _check(positive, self, "model.scales", "positive numbers")
        if min(self.scales) * self.size_px < MIN_SIZE_PX:
            raise InputError(
                f"model.scales: the base needs at least {MIN_SIZE_PX} px, got "
                f"{min(self.scales)} x {self.size_px}."
            )

    @property
    def views(self) -> tuple[tuple[str, ...], ...]:
        """Return the channel names of each input, groups written out."""
        words = [[word.strip() for word in text.split("+")] for text in self.inputs]
        return tuple(
            tuple(name for word in view for name in GROUPS.get(word, (word,)))
            for view in words
        )

    @property
    def images(self) -> tuple[str, ...]:
        """Return what the base sees, one after another: inputs, and their residual."""
        residual = getattr(self.options, "residual", "none")
        shown = () if residual == "alone" else self.inputs
        return shown if residual == "none" else (*shown, "residual")

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Return each channel of the input array once, in order."""
        return tuple(dict.fromkeys(name for view in self.views for name in view))

    @property
    def is_rgb(self) -> bool:
        """Tell whether the input is the image itself: no channel store is needed."""
        return self.channel_names == GROUPS["rgb"]
