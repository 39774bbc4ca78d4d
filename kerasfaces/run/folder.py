"""The folders that commands write, and the names of the files in them.

    Run            config.json, environment.json, manifest.csv, audit.json, report.html
      ScoredRun    + predictions_<split>.csv, operating_point.json, metrics.json, metrics.csv
        DetectorRun  + model.keras or model.npz, input_spec.json, training.json, history.csv
        EnsembleRun  + ensemble.json
      AttributionRun + attribution.json, attribution_<split>.csv, heads/
      StudyRun, MatrixRun, RepeatedRuns: folders of runs
      LaunderedRun   launder.json, launder.csv, laundered.csv

`Run.open` returns the object of whatever kind a folder is. Attributes read their file on
every access, which raises MissingFileError where there is none and RunError or InputError
where it is damaged; assigning to one writes it whole.
"""

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
from kerasfaces.core.files import atomic_path, write_text
from kerasfaces.core.texts import listed
from kerasfaces.images.limits import Limits
from kerasfaces.run import image_counts
from kerasfaces.run.layout import File, JsonFile
from kerasfaces.run.layout import Run as Run  # of any kind
from kerasfaces.run.network import TrainedNetwork, from_json, reading
from kerasfaces.run.scored import ScoredRun as ScoredRun

if TYPE_CHECKING:
    import keras
    import pandas as pd

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

    def laundered(self, name: str) -> "LaunderedRun":
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


class EnsembleRun(ScoredRun):
    """Several detectors' predictions joined; it has no network of its own."""

    LAST = ("ensemble.json", "report.html")
    MARKS = ("ensemble.json",)
    facts = JsonFile("ensemble.json")


class AttributionRun(Run):
    """Heads that tell which generator made an image."""

    LAST = ("attribution.json", "report.html")
    MARKS = ("attribution.json",)
    result = JsonFile("attribution.json")

    def head_file(self, number: int) -> Path:
        """Return where a head is; 0 is the one that knows every generator."""
        return self.path / "heads" / f"{number:03d}.npz"

    def table_file(self, split: str) -> Path:
        """Return where a split's answers are."""
        return self.path / f"attribution_{split}.csv"

    def applied_file(self, digest: str) -> Path:
        """Return where the answers for another manifest are."""
        return self.path / "applied" / digest[:12] / "attribution.csv"


class RepeatedRuns(Run):
    """Runs that differ in their seed alone, and their mean."""

    NOUN = "set of repeats"
    IDENTITY = "repeat.json"
    LAST = ("metrics.json",)
    MARKS = ("repeat.json",)
    metrics = JsonFile("metrics.json")

    def seed(self, seed: int) -> DetectorRun:
        """Return the run of a seed."""
        return DetectorRun(self.path / f"seed-{seed}")


class StudyRun(Run):
    """A search with its trials and its winner's run."""

    NOUN = "study"
    IDENTITY = "study.json"
    EARLY = (*Run.EARLY, "about.json", "clock.json", "val_labels.npy")
    MARKS = ("study.json", "winner")
    identity = JsonFile("study.json")
    about = JsonFile("about.json", optional=True)  # what may change between calls
    result = JsonFile("result.json", optional=True)  # empty until there is a winner
    first_winner = JsonFile("winner.json", optional=True)
    leaderboard_file = File("leaderboard.csv")


class MatrixRun(Run):
    """Trainings on some generators, each tested on all."""

    NOUN = "generator matrix"
    IDENTITY = "request.json"
    EARLY = ("format.json", "environment.json", "audit.json", "splits")
    LAST = ("crossgen.json", "crossgen.csv", "report.html")
    MARKS = ("crossgen.json", "request.json")
    result = JsonFile("crossgen.json")
    table_file = File("crossgen.csv")  # one line per cell and metric
    unsplit_file = File("splits/manifest.csv")  # the images with their hashes

    @property
    def is_finished(self) -> bool:
        """Whether it holds the whole result, no training of it having failed."""
        return super().is_finished and not self.result["failed"]

    def training_set(self, name: str) -> RepeatedRuns:
        """Return the runs of a training set."""
        return RepeatedRuns(self.path / "runs" / name)

    def split_file(self, seed: int) -> Path:
        """Return where the splits of a seed are."""
        return self.path / "splits" / f"seed-{seed}.csv"


class LaunderedRun(Run):
    """A detector's answers to laundered versions of images, and what they are worth."""

    NOUN = "laundering matrix"
    IDENTITY = "launder_request.json"
    EARLY = ("format.json", "environment.json")
    LAST = ("launder.json", "launder.csv", "laundered.csv", "report.html")
    MARKS = ("launder_request.json", "launder.json")
    result = JsonFile("launder.json")
    table_file = File("launder.csv")  # one line per cell and metric
    images_file = File("laundered.csv")  # one line per image, one logit per version
    failures = JsonFile("not_laundered.json", optional=True)  # by sha256 and version
    logits_folder = File("laundered_logits")  # what is scored already, by sha256


class Comparison(Run):
    """Several detectors on the same images."""

    NOUN = "comparison"
    IDENTITY = "identity.json"
    EARLY = ("format.json",)
    MARKS = ("compare.json",)
    result = JsonFile("compare.json")


class Explanation(Run):
    """Maps of images, with a page."""

    NOUN = "explanation"
    IDENTITY = "explain.json"
    EARLY = ("format.json",)
    LAST = ("explain.html",)
    MARKS = ("explain.json",)
    table_file = File("explanations.csv")  # one row per image
    report = File("explain.html")


class EmbeddingMap(Run):
    """Where images lie in a layer of a run, as a map."""

    NOUN = "map"
    IDENTITY = "map_request.json"
    EARLY = ("format.json", "environment.json", "points.npz")
    LAST = ("map.html", "map.json")
    MARKS = ("map_request.json",)
    result = JsonFile("map.json")
    points_file = File("points.npz")  # the projection, of what could be mapped
    table_file = File("points.csv")  # one row per image
    picture_file = File("map.png")
    clusters_file = File("clusters.png")
    grid_file = File("grid.png")
    report = File("map.html")

    def write_table(self, table: "pd.DataFrame") -> None:
        """Write points.csv."""
        write_text(self.table_file, table.to_csv(index=False, lineterminator="\n"))


Run.KINDS = (
    EnsembleRun,
    AttributionRun,
    StudyRun,
    MatrixRun,
    RepeatedRuns,
    LaunderedRun,
    Comparison,
    Explanation,
    EmbeddingMap,
    DetectorRun,
)
