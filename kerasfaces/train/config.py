"""What a training run is, apart from its images and its base weights' file."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal

from kerasfaces.core import registry
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.faces.policy import FaceInput
from kerasfaces.images import InputSpec
from kerasfaces.models import catalogue
from kerasfaces.models.config import HeadConfig, ModelConfig

# fields, what is expected of their values, whether a value is that
_RANGES: list[tuple[tuple[str, ...], str, Callable[[Any], bool]]] = [
    (
        ("epochs", "batch_size", "views", "fine_tune_epochs"),
        "at least 1",
        lambda value: value >= 1,
    ),
    (
        ("learning_rate", "fine_tune_learning_rate"),
        "more than 0 and less than 100",
        lambda value: 0 < value < 100,
    ),
    (("momentum", "plateau_factor"), "0 to less than 1", lambda value: 0 <= value < 1),
    (("plateau_patience", "unfreeze"), "at least 0", lambda value: value >= 0),
    (("seed",), f"0..{2**32 - 1}", lambda value: 0 <= value < 2**32),
    (("patience",), "at least 1 or none", lambda value: value is None or value >= 1),
    (
        ("false_alarm_rate",),
        "between 0 and 1",
        lambda value: value is None or 0 < value < 1,
    ),
    (("launder",), "0..1", lambda value: 0 <= value <= 1),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig(FaceInput):
    """Everything that decides a training run, apart from data and base weights.

    Attributes:
        model: The architecture.
        seed: Of initial weights, dropout and batch order; not of splits or views.
        epochs: At most this many passes over the training images, of the head or, where
            the model is trained end to end by its nature, of the whole.
        batch_size: Images per step.
        learning_rate: At the start.
        schedule: `constant`, `cosine` (falls to zero over all epochs), or `plateau`
            (multiplied by `plateau_factor` whenever validation loss has not been better
            for more than `plateau_patience` epochs).
        patience: Stop after so many epochs without a better validation loss and take
            the best epoch; None trains all epochs and takes the last.
        class_weights: Weigh both classes alike whatever their counts.
        views: Views of each training image; view 0 is the image itself, the others are
            augmented, and each epoch sees the next one.
        augment: How much an augmented view may differ.
        launder: Share of the views after the first that are laundered before they are cut
            and resized (`images.launderings`), both classes alike; the real and the fakes
            of a `pair_id` share what happens to them.
        weigh_sources: `sqrt` lets each source weigh by the square root of its number of
            training images within its class, `equal` lets all its sources weigh alike, and
            `images` every image.
        weight_column: Column of the manifest with a positive number per image that multiplies
            its weight, such as `weight` of `Manifest.weigh`; within a class their mean counts
            as 1.
        protocol: `unseen` chooses layers and penalty of the head, and what turns logits
            into answers, for generators that training has not seen (`train.protocol`).
        unfreeze: Last base layers to train in a second phase; 0 is none.
        fine_tune_epochs: Epochs of the second phase.
        fine_tune_learning_rate: At the start of the second phase.
        mixed_precision: Half-precision arithmetic where the base is trained on a GPU.
        crop: Central `square`, or `none` (stretch).
        filter: Resampling filter.
        false_alarm_rate: Rate to set the threshold for; None maximises balanced accuracy.
        optimizer: `adam`, or `sgd` with `momentum`.
        momentum: Of `sgd`.
        plateau_factor: See `schedule`.
        plateau_patience: See `schedule`.
        train_base: Train everything, although the base's weights are known: they are
            where it starts. Without it a base with known weights stays frozen, unless
            the model is trained end to end by its nature.
    """

    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    seed: int = 0
    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-3
    schedule: Literal["constant", "cosine", "plateau"] = "cosine"
    patience: int | None = 15
    class_weights: bool = True
    views: int = 1
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)
    launder: float = 0.0
    weigh_sources: Literal["images", "sqrt", "equal"] = "images"
    weight_column: str = ""
    protocol: Literal["standard", "unseen"] = "standard"
    unfreeze: int = 0
    fine_tune_epochs: int = 10
    fine_tune_learning_rate: float = 1e-5
    mixed_precision: bool = False
    crop: Literal["square", "none"] = "square"
    filter: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bicubic"
    false_alarm_rate: float | None = None
    optimizer: Literal["adam", "sgd"] = "adam"
    momentum: float = 0.9
    plateau_factor: float = 0.5
    plateau_patience: int = 3
    train_base: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        _ = self.face_crop
        if self.weight_column and (
            self.protocol == "unseen" or self.model.head.solver == "discriminant"
        ):
            raise InputError(
                "weight_column: the protocol `unseen` and the discriminant weigh sources, not "
                "images; leave it out there."
            )
        for names, expected, holds in _RANGES:
            for name in names:
                value = getattr(self, name)
                if not holds(value):
                    raise InputError(f"{name}: expected {expected}, got {value}.")

    @property
    def input_spec(self) -> InputSpec:
        """Return what stands between a file and the model's input."""
        return InputSpec(
            size_px=self.model.size_px,
            crop=self.crop,
            filter=self.filter,
            crops=self.model.crops,
            **self.face_fields,
        )

    def trains_whole(self, base_weights: object | None) -> bool:
        """Tell whether everything is trained, rather than a head on a base that stays."""
        return (
            base_weights is None
            or self.train_base
            or catalogue.load(self.model.name).end_to_end
        )


def default(model: str, weights: str = "imagenet") -> TrainConfig:
    """Return our best frozen-base configuration of `model`.

    Four middle layers, each map's mean and standard deviation, logistic regression; the
    image at its size and at twice its size, which lifts the traces to where an ImageNet
    base looks (`experiments/frozen_base`). Our own base saw nothing but images of 160 px
    and their traces, and needs one size only (chosen on validation of the sample).
    """
    architecture = catalogue.load(model)
    if architecture.training:
        return preset(architecture.training, model)
    ours = weights == "forensic"
    config = ModelConfig(
        name=model,
        size_px=160 if ours else 256,
        taps=architecture.taps,
        pooling="mean_std",
        scales=(1.0,) if ours else (1.0, 2.0),
        head=HeadConfig(l2=0.01),
        options=architecture.options,
    )
    return TrainConfig(model=dataclasses.replace(config, **architecture.defaults))


def preset(name: str, model: str) -> TrainConfig:
    """Return a named configuration from `kerasfaces/train/presets`.

    Raises:
        InputError: There is no such preset, or it does not describe `model`.
    """
    configs: Mapping[str, TrainConfig]
    configs = registry.load("kerasfaces.train.presets", name).CONFIGS
    if model not in configs:
        advice = " or ".join(f"`model={each!r}`" for each in configs)
        raise InputError(
            f"`preset={name!r}` describes {', '.join(configs)}, not {quoted(model)}; add "
            f"{advice}."
        )
    config = configs[model]
    named = dataclasses.replace(config.model, name=model)
    completed = catalogue.load(model).completed(named)
    return dataclasses.replace(config, model=completed)
