"""A detector to train: its data, what decides its numbers, and its folder's name."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kerasfaces import manifest as manifests
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import config as configs
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.faces.policy import fields_of
from kerasfaces.manifest import face_rows
from kerasfaces.models import catalogue
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.settings import DetectorSettings

if TYPE_CHECKING:  # it imports Keras
    from kerasfaces.models.weights import BaseWeights

Config = TypeVar("Config", bound=TrainConfig | BaselineConfig)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """A detector to train on images, and where its run folder goes."""

    # The training configuration, a model's or a baseline's; the width of its base is
    # filled in from the weights.
    config: TrainConfig | BaselineConfig
    manifest: manifests.Manifest  # rows, split or not
    weights: str  # base weights, see `Detector`
    # Run folder; None names it by configuration and manifest.
    folder: Path | None = None
    store: Path | None = None  # channel store to train on; None trains on pixels
    tensorboard: bool = False  # write TensorBoard logs
    notes: tuple[str, ...] = ()  # sentences that belong at the top of the report
    # Of the files the rows were drawn from, if that was done before.
    audit: Json | None = None
    # Where images are decoded and frozen features computed.
    spread: Engine = dataclasses.field(default_factory=Engine)
    devices: str = ""  # what trains a network end to end, see `devices.chosen`
    # The run that this one is made from by adding images; None of nothing.
    parent: DetectorRun | None = None

    @classmethod
    def of(
        cls,
        settings: DetectorSettings,
        manifest: manifests.Manifest,
        *,
        on_sample: bool,
        tensorboard: bool = False,
        devices: str = "",
        **others: Any,
    ) -> "Training":
        """Return a training with the defaults that suit the images.

        Raises:
            InputError: An option of networks for a baseline, or see `DetectorSettings`.
        """
        config = settings.configuration(on_sample)
        if isinstance(config, BaselineConfig):
            settings.refuse(tensorboard=tensorboard, devices=devices)
        return cls(
            config=config,
            manifest=manifest,
            weights=settings.weights_for(on_sample),
            store=settings.store,
            tensorboard=tensorboard,
            devices=devices,
            **others,
        )


def identity(
    config: TrainConfig | BaselineConfig,
    base_weights: "BaseWeights | None",
    manifest: manifests.Manifest,
    recipe: Json | None,
) -> Json:
    """Return config.json: everything that decides what a run comes to."""
    return {
        "train": configs.to_dict(config),
        "weights": base_weights.describe() if base_weights else None,
        "manifest": manifest.digest(),
        "channel_recipe": configs.digest(recipe) if recipe else None,
    }


def resolve(
    training: Training,
) -> "tuple[TrainConfig | BaselineConfig, BaseWeights | None]":
    """Find the base weights and read the width from them; baselines have none.

    Raises:
        InputError: Weights for a baseline, or see `with_face_crop`.
    """
    config = with_face_crop(training.config, training.manifest, training.store)
    if isinstance(config, BaselineConfig):
        if training.weights != "none":
            raise InputError(
                f"`weights={training.weights!r}`: {config.model.name} has none; leave it out."
            )
        return config, None
    architecture = catalogue.load(config.model.name)
    base_weights = architecture.find_weights(training.weights, config.model)
    model = architecture.completed(config.model, base_weights)
    return dataclasses.replace(config, model=model), base_weights


def with_face_crop(
    config: Config, manifest: manifests.Manifest, store: Path | None
) -> Config:
    """Return a configuration that states how the pictures of a manifest were cut.

    Raises:
        InputError: It states another crop, or a face is to be cut out of channels.
    """
    if store is not None:
        if config.faces == "largest":
            raise InputError(
                f"`faces={config.faces!r}`: a channel store has its own pictures; cut the "
                "faces first (`data.crop_faces('DIR')`) and make the store of those."
            )
        return config
    stated = face_rows.crop_of(manifest)
    if stated and config.faces == "none":
        return dataclasses.replace(config, **fields_of(FaceCrop.of(stated)))
    face_rows.require_same(manifest, config, f"`faces={config.faces!r}`")
    return config


def default_folder(config: TrainConfig | BaselineConfig, identity: Json) -> Path:
    """Return `runs/<model>-<hash of config and manifest>`."""
    return Path("runs") / f"{config.model.name}-{configs.digest(identity, 10)}"
