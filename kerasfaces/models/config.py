"""What a model is: everything needed to build it again from JSON, weights apart."""

import dataclasses
from typing import Literal

from kerasfaces.core.config import LATER
from kerasfaces.core.errors import InputError
from kerasfaces.images import MAX_SIZE_PX, MIN_SIZE_PX

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """The trained part on top of the base.

    Attributes:
        units: Widths of the hidden ReLU layers; empty is logistic regression.
        dropout: Dropped fraction after each hidden layer, 0..1 (after the input if none).
        l2: Weight penalty of every dense kernel.
        standardize: Scale each feature to zero mean and unit variance on training data.
        batch_norm: Batch normalisation between hidden layers, so not after the last.
        output: `logit` is one unit; `softmax` two, of which the logit is fake minus real;
            `average` the mean of the features, which are scores already.
    """

    units: tuple[int, ...] = ()
    dropout: float = 0.0
    l2: float = 0.0
    standardize: bool = True
    batch_norm: bool = dataclasses.field(default=False, metadata=LATER)
    output: Literal["logit", "softmax", "average"] = dataclasses.field(
        default="logit", metadata=LATER
    )

    def __post_init__(self) -> None:
        """Check the ranges."""
        if any(width < 1 for width in self.units):
            raise InputError(
                f"head.units: expected widths of at least 1, got {self.units}."
            )
        if not 0 <= self.dropout < 1:
            raise InputError(
                f"head.dropout: expected 0 <= dropout < 1, got {self.dropout}."
            )
        if self.l2 < 0:
            raise InputError(f"head.l2: expected at least 0, got {self.l2}.")
        if self.output == "average" and (self.units or self.dropout or self.l2):
            raise InputError(
                "head.output: average has no weights; leave units, dropout and l2 out."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelConfig:
    """What a model does with channels that are not colours.

    Attributes:
        fusion: lnp_attention: wan2023's AS+PS+LNP, Att(AS+PS+LNP), Att(AS+PS)+LNP.
        attention: lnp_attention: see `attention.py`.
        classifier: lnp_attention: what the fused channels go into.
        stem: lnp_attention: how a base made for 3 channels meets more of them: its first
            convolution widened, or a learned 1×1 convolution to 3 in front of it.
        amplitude: The kind of amplitude a store must hold (`spectrum.amplitude`); empty
            takes any.
        gain: Frozen bases: grey levels per unit of a channel's value (`ToPixels`).
        standardize: Frozen bases: the unit is the channel's standard deviation on
            training data instead of its own (features are then cached per training set).
    """

    fusion: Literal["concat", "attention_all", "attention_spectra"] = (
        "attention_spectra"
    )
    attention: Literal["equation", "published_code", "scaled"] = "equation"
    classifier: Literal["mobilenetv2", "resnet34", "resnet50"] = "mobilenetv2"
    stem: Literal["inflate", "project"] = "inflate"
    amplitude: Literal["", "log", "raw", "liu2022"] = ""
    gain: float = 10.0
    standardize: bool = False

    def __post_init__(self) -> None:
        """Check the range."""
        if self.gain <= 0:
            raise InputError(
                f"model.channels.gain: expected more than 0, got {self.gain}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class CnnConfig:
    """How the networks that are convolutions and nothing else are made.

    Attributes:
        layers: modified_cnn: convolutions, a max-pool after each.
        filters: Of the first convolution; modified_cnn doubles them from one to the next.
        kernel_px: modified_cnn: side of the first kernel; the next is one larger.
        networks: aggregated_cnns: how many of them.
        patch_px: aggregated_cnns: side of the patches they see.
    """

    layers: int = 4
    filters: int = 32
    kernel_px: int = 2
    networks: int = 5
    patch_px: int = 64

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("layers", "filters", "kernel_px", "networks"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"model.cnn.{name}: expected at least 1, got {getattr(self, name)}."
                )
        if self.patch_px < 16:
            raise InputError(
                f"model.cnn.patch_px: expected at least 16, got {self.patch_px}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Sizes of a transformer; None is what its name says, the only ones with weights.

    Attributes:
        layers: Encoder blocks.
        width: Of a token; a multiple of `heads`.
        heads: Of the attention.
    """

    layers: int | None = None
    width: int | None = None
    heads: int | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("layers", "width", "heads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(
                    f"model.transformer.{name}: expected at least 1 or none, got {value}."
                )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """One detector's architecture.

    Attributes:
        name: File in `kerasfaces/models/zoo`.
        inputs: Channels the model sees, names joined by `+`; `rgb`, `lnp`, `spectra` and
            `spectra3` stand for theirs. A frozen base sees each text's three channels as
            one image and the features are concatenated (`rgb,lnp`); lnp_attention takes
            all together (`lnp+spectra`).
        channels: What is done with channels that are not colours.
        size_px: Side of the square input.
        taps: Base layers that feed the head; empty is the base's last layer.
        pooling: `mean`, `mean_std` (mean and standard deviation over each map),
            `flatten` (every position is a feature), `vote` (a map's largest value if any
            is positive, else its smallest), or `token` (transformers: the tokens that
            stand for the whole image).
        scales: Sides the base sees, as multiples of `size_px`; features are concatenated.
        alpha: Width multiplier (MobileNetV2); None is read from the weights, else 1.
        head: The trained part.
        cnn: Sizes of small convolutional networks.
        transformer: Sizes of transformers.
    """

    name: str = "mobilenetv2"
    inputs: tuple[str, ...] = ("rgb",)
    channels: ChannelConfig = dataclasses.field(default_factory=ChannelConfig)
    size_px: int = 256
    taps: tuple[str, ...] = ()
    pooling: Literal["mean", "mean_std", "flatten", "vote", "token"] = "mean"
    scales: tuple[float, ...] = (1.0,)
    alpha: float | None = None
    head: HeadConfig = dataclasses.field(default_factory=HeadConfig)
    cnn: CnnConfig = dataclasses.field(default_factory=CnnConfig, metadata=LATER)
    transformer: TransformerConfig = dataclasses.field(
        default_factory=TransformerConfig, metadata=LATER
    )

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.inputs or not all(all(view) for view in self.views):
            raise InputError(
                "model.inputs: expected channel names joined by +, e.g. rgb or "
                f"lnp+spectra, got {', '.join(map(repr, self.inputs)) or 'nothing'}."
            )
        if not MIN_SIZE_PX <= self.size_px <= MAX_SIZE_PX:
            raise InputError(
                f"model.size_px: expected {MIN_SIZE_PX}..{MAX_SIZE_PX}, got "
                f"{self.size_px}."
            )
        if not self.scales or any(scale <= 0 for scale in self.scales):
            raise InputError(
                f"model.scales: expected positive numbers, got {self.scales}."
            )
        if min(self.scales) * self.size_px < MIN_SIZE_PX:
            raise InputError(
                f"model.scales: the base needs at least {MIN_SIZE_PX} px, got "
                f"{min(self.scales)} x {self.size_px}."
            )

    @property
    def views(self) -> tuple[tuple[str, ...], ...]:
        """Return the channel names of each input, groups written out."""
        return tuple(
            tuple(
                name
                for word in text.split("+")
                for name in GROUPS.get(word.strip(), (word.strip(),))
            )
            for text in self.inputs
        )

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Return each channel of the input array once, in order."""
        return tuple(dict.fromkeys(name for view in self.views for name in view))

    @property
    def is_rgb(self) -> bool:
        """Tell whether the input is the image itself: no channel store is needed."""
        return self.channel_names == GROUPS["rgb"]
