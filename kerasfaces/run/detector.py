"""A training's run folder, and what it says of its network or baseline."""

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces import baselines
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import arrays, registry
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError, MissingFileError, RunError
from kerasfaces.core.files import atomic_path
from kerasfaces.core.texts import listed
from kerasfaces.images.limits import Limits
from kerasfaces.run import image_counts
from kerasfaces.run.analyses import LaunderedRun
from kerasfaces.run.layout import File, JsonFile, Run
from kerasfaces.run.network import TrainedNetwork, from_json, reading
from kerasfaces.run.scored import ScoredRun

if TYPE_CHECKING:
    import keras

    from kerasfaces.run.training_features import TrainingFeatures

logger = logging.getLogger(__name__)


class DetectorRun(ScoredRun):
    """A training's run folder: a network or a fitted baseline, and how it was made."""

    EARLY = (*Run.EARLY, "clock.json")
    PUBLISHED = "published.json"  # the hashes of a run that came from Hugging Face
    # what others may have of a run: nothing that names files, people or machines
    PUBLIC = (
        *("model.keras", "model.npz", "config.json", "format.json", "environment.json"),
        *("input_spec.json", "operating_point.json", "training.json", "audit.json"),
        *("metrics.json", "metrics.csv", "unseen.json", "error_rates.json"),
        *("training_images.json", "training_features.npz"),
    )
    input_spec = JsonFile("input_spec.json")
    training = JsonFile("training.json", optional=True)
    # of the images it learnt from, in numbers
    training_images = JsonFile("training_images.json", optional=True)
    training_features_file = File("training_features.npz")
    # of answers, by their rule
    error_rates = JsonFile("error_rates.json", optional=True)
    published = JsonFile(PUBLISHED, optional=True)
    model_file = File("model.keras")  # the network
    arrays_file = File("model.npz")  # the fitted arrays of a baseline
    clock_file = File("clock.json")  # the seconds of training, which go on after a kill
    tensorboard_folder = File("tensorboard")  # the logs for TensorBoard

    @property
    def learnt_files(self) -> list[Path]:
        """What training has learnt, as far as it is there."""
        files = (self.model_file, self.arrays_file)
        return [file for file in files if file.is_file()]

    def write_model(self, model: "keras.Model") -> None:
        """Write the network."""
        with atomic_path(self.model_file) as path:
            model.save(path)

    def checkpoint_file(self, phase: str) -> Path:
        """Return where a training phase continues."""
        return self.path / "checkpoints" / f"{phase}.npz"

    def answers_file(self, rule: str) -> Path:
        """Return where the answers to the test images are, by a rule's digest."""
        return self.path / "answers" / f"{rule}.csv"

    def laundered(self, name: str) -> LaunderedRun:
        """Return the folder of what laundered images do to the detector."""
        return LaunderedRun(self.path / "launderings" / name)

    @cached_property
    def training_features(self) -> "TrainingFeatures | None":
        """Where its training images lie in the head's final layer; None where unknown."""
        from kerasfaces.run import training_features

        if not self.training_features_file.is_file():
            return None
        return training_features.read(self.training_features_file)

    @property
    def base_weights(self) -> dict[str, str] | None:
        """Where the base's weights came from; None without any."""
        weights: dict[str, str] | None = self.config["weights"]
        return weights

    @cached_property
    def baseline(self) -> BaselineConfig | None:
        """The configuration of a baseline's run; None for a network's."""
        train = self.config.get("train", {})
        match train:
            case {"model": {"name": str(name)}} if name in registry.names(
                baselines.ZOO
            ):
                kind: type[BaselineConfig] = registry.load(baselines.ZOO, name).CONFIG
                return configs.from_dict(kind, train, f"{self.path}/config.json")
        return None

    @cached_property
    def fitted(self) -> arrays.Arrays:
        """What a baseline has learnt."""
        self._require(self.arrays_file)
        return arrays.read(self.arrays_file, "train again")

    def baseline_logits(self, read: arrays.Read, count: int) -> NDArray[np.float64]:
        """Return a baseline's logits of the first `count` images of a reader, `(count,)`."""
        plugin = registry.load(baselines.ZOO, self.config["train"]["model"]["name"])
        logits: NDArray[np.float64]
        logits = plugin.logits(self.baseline, self.fitted, read, count)
        return logits

    @cached_property
    def network(self) -> TrainedNetwork:
        """What the folder says of its network."""
        if self.baseline is not None:
            raise InputError(
                f"{self.path} holds {self.baseline.model.name}, which is no network: only "
                "its scores can be had (kerasfaces evaluate). Give a run of a model."
            )
        with reading(self.path, lambda: self.environment):
            if not (self.path / self.IDENTITY).is_file():
                raise MissingFileError(f"{self.path}/{self.IDENTITY} does not exist.")
            self._require(self.model_file)
            return from_json(
                self.path, self.model_file, self.config, self.input_spec, self.limits
            )

    def _require(self, learnt: Path) -> None:
        if not learnt.exists():
            raise RunError(
                f"{self.path}: training is not finished (no {learnt.name}); run it again."
            )

    @cached_property
    def limits(self) -> Limits | None:
        """What a picture must have to get a verdict; None where nothing is known."""
        limits = self.input_spec.get("limits")
        if limits is None:
            logger.warning(
                "%s does not say how large its training images were: pictures of any size "
                "get a verdict, those of a few pixels too. Train it again to have a limit.",
                self.path,
            )
            return None
        return configs.from_dict(Limits, limits, f"{self.path}/input_spec.json.limits")

    def trained_on(self) -> str:
        """Say what the run was trained on, in one sentence."""
        counts = self.image_counts().get("train")
        if counts is None:
            return (
                f"{self.path} does not say what it was trained on: it has no "
                f"{self.manifest_file.name}."
            )
        parts = []
        for label in ("real", "fake"):
            sources = counts.get(label, {})
            names = listed(sorted(set(sources) - {""}))
            parts.append(
                f"{sum(sources.values()):,} {label}" + (f" ({names})" if names else "")
            )
        return f"{self.path} was trained on {' and '.join(parts)} images."

    def image_counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return the number of images by split, label and source; empty where unknown."""
        if not self.manifest_file.is_file():
            return dict(self.published.get("trained_on", {}))
        return image_counts.of(self.manifest_file)


class UnseenRun(DetectorRun):
    """A detector's run whose configuration is chosen in it, by the protocol `unseen`."""

    IDENTITY = "protocol.json"  # what was asked for; config.json is what was chosen

    def candidate_file(self, number: int) -> Path:
        """Return where a candidate's AUC of each family is."""
        return self.path / "unseen" / f"candidate-{number:02d}.json"
