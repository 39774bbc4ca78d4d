"""A model's name and a few settings -> the whole configuration and its base weights."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from kerasfaces import baselines
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import config as configs
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError
from kerasfaces.models import catalogue
from kerasfaces.train import channels, protocol
from kerasfaces.train import config as train_configs
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.detectors import is_baseline

_OF_NETWORKS = ("views", "launder", "unfreeze", "mixed_precision")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetectorSettings:
    """Which detector to train, as users say it; everything has a default.

    Attributes:
        model: A model or baseline; by default lnp_attention on a store, else mobilenetv2.
        weights: `forensic`, `imagenet`, `published`, `none`, a file, or of some models a
            folder or an address; see `weights_for`.
        preset: A published configuration of `kerasfaces/train/presets`.
        store: A channel store to train on.
        protocol: `unseen` prepares for generators that training has not seen; see
            `train.protocol`.
        changes: Fields to change, by name; a mapping changes single fields of a part.
        assignments: The same as texts such as `model.size_px=224`; applied last.
    """

    model: str | None = None
    weights: str | None = None
    preset: str | None = None
    store: Path | None = None
    protocol: str = ""
    changes: Mapping[str, object] = dataclasses.field(default_factory=dict)
    assignments: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.model or ("lnp_attention" if self.store else "mobilenetv2")

    def weights_for(self, on_sample: bool) -> str:
        """Return the base weights; by default those of the images at hand.

        Args:
            on_sample: The images are the built-in sample, which our own base knows best.
        """
        if self.weights:
            return self.weights
        if is_baseline(self.name) or catalogue.load(self.name).end_to_end:
            return "none"
        sources = catalogue.load(self.name).sources
        return "forensic" if on_sample else sources.word

    def configuration(self, on_sample: bool = False) -> TrainConfig | BaselineConfig:
        """Return the configuration of a training run; our own base needs its own sizes.

        Raises:
            InputError: An unknown name or field (the message says which is near), a value
                of another type or out of range, or a setting of networks for a baseline.
        """
        config: TrainConfig | BaselineConfig
        if is_baseline(self.name):
            used = {name: self.changes.get(name) for name in _OF_NETWORKS}
            self.refuse(preset=self.preset, protocol=self.protocol, **used)
            config = registry.load(baselines.ZOO, self.name).CONFIG()
        elif self.preset:
            channels.require_store(self.preset, self.store)
            config = train_configs.preset(self.preset, self.name)
        elif self.store:
            weights = self.weights_for(on_sample)
            config = channels.default(self.name, weights, self.store)
        else:
            config = train_configs.default(self.name, self.weights_for(on_sample))
        if wanted := self.protocol or self.changes.get("protocol"):
            config = configs.updated(config, {"protocol": wanted})
            if isinstance(config, TrainConfig) and config.protocol == "unseen":
                config = protocol.applied(config)
        changed = configs.updated(config, self.changes)
        return configs.override(changed, self.assignments)

    def check(self) -> None:
        """Find mistakes without images: of the settings, and weights that are not there.

        Raises:
            InputError: See `configuration`, or there are no such weights.
            MissingFileError: The file is not there, or cannot be downloaded.
        """
        config = self.configuration()
        if self.weights and isinstance(config, TrainConfig):
            catalogue.load(self.name).find_weights(self.weights, config.model)

    def refuse(self, **options: object) -> None:
        """Refuse options of networks for a baseline.

        Raises:
            InputError: One of them has a value.
        """
        for name, value in options.items():
            if value:
                raise InputError(
                    f"`{name}` is for networks; {self.name} is a baseline: leave it out."
                )
