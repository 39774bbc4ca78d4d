"""The folders that commands write, and the names of the files in them.

    Run            config.json, environment.json, manifest.csv, audit.json, report.html
      ScoredRun    + predictions_<split>.csv, operating_point.json, metrics.json, metrics.csv
        DetectorRun  + model.keras or model.npz, input_spec.json, training.json, history.csv
        EnsembleRun  + ensemble.json
      AttributionRun + attribution.json, attribution_<split>.csv, heads/
      StudyRun, MatrixRun, RepeatedRuns: folders of runs

`Run.open` returns the object of whatever kind a folder is. Attributes read their file on
every access; assigning to one writes it whole.
"""

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pandas as pd

from kerasfaces import __version__
from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.core import environment, folders
from kerasfaces.core.errors import InputError, MissingFileError, RunError
from kerasfaces.core.files import atomic_path, read_json, write_json, write_text
from kerasfaces.core.texts import listed, quoted
from kerasfaces.images.limits import Limits
from kerasfaces.run import kinds, predictions
from kerasfaces.run.operating_point import OperatingPoint

if TYPE_CHECKING:
    import keras

    from kerasfaces.baselines.config import BaselineConfig
    from kerasfaces.run.network import TrainedNetwork

logger = logging.getLogger(__name__)
FORMAT = 1  # of the layout; see `Run.check_format`


class File:
    """The path of a file in a run folder as an attribute."""

    def __init__(self, name: str) -> None:
        """Name the file."""
        self.name = name

    def __get__(self, run: "Run", owner: type["Run"]) -> Path:
        """Return the path."""
        return run.path / self.name


class JsonFile:
    """A JSON object in a run folder as an attribute: reading reads, assigning writes."""

    def __init__(self, name: str, *, optional: bool = False) -> None:
        """Name the file; an optional one that is missing is an empty object."""
        self.name, self._optional = name, optional

    def __get__(self, run: "Run", owner: type["Run"]) -> dict[str, Any]:
        """Read the file.

        Raises:
            MissingFileError: It is not there.
            RunError: It is damaged.
        """
        path = run.path / self.name
        if self._optional and not path.is_file():
            return {}
        value = read_json(path)
        if not isinstance(value, dict):
            raise RunError(f"{path} holds no object; restore or delete it.")
        return value

    def __set__(self, run: "Run", value: Mapping[str, Any]) -> None:
        """Write the file."""
        write_json(run.path / self.name, dict(value))


class Run:
    """A folder that one command writes and others read.

    Attributes:
        path: The folder; it need not exist.
    """

    NOUN: ClassVar[str] = "run"  # in messages
    IDENTITY: ClassVar[str] = "config.json"  # what decides everything else
    EARLY: ClassVar[tuple[str, ...]] = (
        "format.json",
        "environment.json",
        "manifest.csv",
        "audit.json",
    )
    LAST: ClassVar[tuple[str, ...]] = ("report.html",)  # a finished one has these
    MARKS: ClassVar[tuple[str, ...]] = ()  # files that only this kind has

    config = JsonFile("config.json", optional=True)
    environment = JsonFile("environment.json", optional=True)
    audit = JsonFile("audit.json", optional=True)  # what files alone tell of the labels
    manifest_file = File("manifest.csv")  # the images and the splits that were used
    report = File("report.html")  # the page for people
    _format = JsonFile("format.json", optional=True)

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is read."""
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return a folder as the object of its kind.

        Raises:
            MissingFileError: There is no such folder, or no finished run in it.
            InputError: It is of another kind than this class.
            RunError: A newer version wrote it.
        """
        run = cls.kind(path)
        if not isinstance(run, cls):
            raise InputError(f"{path} {kinds.why_no_run(path)}")
        run.check_format()
        run.check()
        return run

    @staticmethod
    def kind(path: Path) -> "Run":
        """Return a folder as the object of its kind, finished or not, unchecked."""
        for kind in KINDS:
            if any((path / mark).exists() for mark in kind.MARKS):
                return kind(path)
        return DetectorRun(path)

    @contextlib.contextmanager
    def writing(self, identity: Mapping[str, Any]) -> Iterator[None]:
        """Hold the folder's lock as the only writer of what `identity` decides.

        Raises:
            LockedError: Another process is writing it.
            RunError: It holds something else, or a newer version wrote it.
        """
        with folders.lock(self.path, f"{self.NOUN} folder"):
            self.check_format()
            folders.claim(
                self.path, self.IDENTITY, dict(identity), self.NOUN, self.EARLY
            )
            if not self._format:
                self._format = {"format": FORMAT, "kerasfaces": __version__}
            yield

    def check_format(self) -> None:
        """Refuse a folder whose layout this version does not know.

        Raises:
            RunError: Its format is newer, or none.
        """
        number = self._format.get("format", FORMAT)
        if not isinstance(number, int) or number < 1:
            raise RunError(
                f"{self.path / 'format.json'}: format is {quoted(str(number))}, expected "
                f"{FORMAT}; restore the file."
            )
        if number > FORMAT:
            author = self._format.get("kerasfaces", "a newer version")
            raise RunError(
                f"{self.path} has format {number}, written by kerasfaces "
                f"{quoted(str(author))}, and this is {__version__}, which reads format "
                f"{FORMAT}: install the newer version (pip install -U kerasfaces)."
            )

    def check(self) -> None:
        """Refuse an unfinished folder; what a kind needs is up to it."""

    @property
    def is_finished(self) -> bool:
        """Whether the command that writes the folder has nothing left to do."""
        return all((self.path / name).exists() for name in self.LAST)

    @property
    def name(self) -> str:
        """The folder's own name, also where it was given as `.`."""
        return self.path.resolve().name

    def write_report(self, page: str) -> None:
        """Write the page, the last file of a finished folder."""
        write_text(self.report, page)

    def describe_machine(self) -> None:
        """Write environment.json: what this process runs on."""
        self.environment = environment.describe()

    @property
    def manifest(self) -> manifests.Manifest:
        """Its images.

        Raises:
            MissingFileError: There is no manifest.
            InputError: It is damaged.
        """
        return manifests.read(self.manifest_file)

    def keep_manifest(self, manifest: manifests.Manifest) -> manifests.Manifest:
        """Return the folder's images, at first those given, split where they are not."""
        from kerasfaces.manifest import split

        if not self.manifest_file.exists():
            manifests.write(split.if_needed(manifest), self.manifest_file)
        return self.manifest

    def keep_audit(self, manifest: manifests.Manifest) -> dict[str, Any] | None:
        """Return the folder's audit, at first that of a manifest's files.

        None where no file is: a channel store holds what was read of them.
        """
        from kerasfaces.manifest import audit

        if not self.audit and any(file.exists() for file in manifest.files()):
            self.audit = configs.to_dict(audit.audit(manifest))
        return self.audit or None


class ScoredRun(Run):
    """A run with predictions: a detector's, an ensemble's, or an evaluation of one."""

    LAST = ("metrics.json", "report.html")
    metrics = JsonFile("metrics.json")
    point_file = File(kinds.POINT)  # what turns a logit into an answer

    def check(self) -> None:
        """Refuse a run without an operating point, or with damaged numbers.

        Raises:
            MissingFileError: It has none: the message says what the folder is.
            RunError: It or metrics.json is damaged.
        """
        if not self.point_file.is_file():
            raise MissingFileError(f"{self.path} {kinds.why_no_run(self.path)}")
        _ = self.operating_point, self.image_root

    @property
    def operating_point(self) -> OperatingPoint:
        """Calibration and thresholds, frozen on validation.

        Raises:
            MissingFileError: There is none.
            RunError: It is damaged.
        """
        return OperatingPoint.from_json(
            read_json(self.point_file), str(self.point_file)
        )

    def write_operating_point(self, point: OperatingPoint) -> None:
        """Write operating_point.json."""
        write_json(self.point_file, point.to_json())

    def predictions_file(self, split: str) -> Path:
        """Return where a split's predictions are."""
        return self.path / f"predictions_{split}.csv"

    @property
    def predicted(self) -> list[str]:
        """The splits that have predictions."""
        files = self.path.glob("predictions_*.csv")
        return sorted(file.stem.partition("_")[2] for file in files)

    def predictions(self, split: str) -> pd.DataFrame:
        """Return a split's predictions; see `predictions.read`."""
        return predictions.read(self.predictions_file(split))

    def readable(self, split: str) -> pd.DataFrame:
        """Return a split's predictions without the images that have none."""
        return predictions.readable(self.predictions(split))

    def write_predictions(self, split: str, frame: pd.DataFrame) -> None:
        """Write a split's predictions."""
        predictions.write(frame, self.predictions_file(split))

    def measured(self, split: str, part: str = "all") -> dict[str, Any]:
        """Return the metrics of a slice, as metrics.json has them."""
        entry: dict[str, Any] = self.metrics["metrics"][split][part]
        return entry

    @property
    def settings(self) -> dict[str, Any]:
        """What was measured before, with its settings; empty where it never was."""
        return self.metrics if (self.path / "metrics.json").is_file() else {}

    @property
    def image_root(self) -> Path | None:
        """What relative paths in the predictions are relative to; None if unknown.

        Raises:
            RunError: metrics.json is damaged.
        """
        root = self.settings.get("image_root")
        if not isinstance(root, str | None):
            raise RunError(
                f"{self.path / 'metrics.json'}: image_root is {quoted(root)}, expected a "
                "folder; restore the file or delete it."
            )
        return None if root is None else self.path / root

    def relative_root(self, root: Path | None) -> str | None:
        """Return the images' folder as metrics.json states it."""
        if root is None:
            return None
        inside = root.resolve() == self.path.resolve()
        return "." if inside else str(root.resolve())

    @property
    def table(self) -> pd.DataFrame:
        """Every metric of every slice, one per row."""
        return pd.read_csv(self.path / "metrics.csv", keep_default_na=True)

    def write_table(self, table: pd.DataFrame) -> None:
        """Write metrics.csv."""
        text = table.to_csv(index=False, lineterminator="\n")
        write_text(self.path / "metrics.csv", text)

    @property
    def history(self) -> pd.DataFrame | None:
        """One row per epoch; None where there was none.

        Raises:
            RunError: It is damaged.
        """
        path = self.path / "history.csv"
        try:
            return pd.read_csv(path)
        except (FileNotFoundError, pd.errors.EmptyDataError):
            return None
        except (pd.errors.ParserError, UnicodeDecodeError) as error:
            raise RunError(
                f"{path} is damaged ({error}); restore or delete it."
            ) from error

    def write_history(self, history: pd.DataFrame) -> None:
        """Write history.csv."""
        write_text(self.path / "history.csv", history.to_csv(index=False))

    def evaluation(self, name: str) -> "ScoredRun":
        """Return the folder of a measurement on other images."""
        return ScoredRun(self.path / "evaluations" / name)

    @property
    def is_evaluation(self) -> bool:
        """Whether this measures a run, which lies around it, on other images."""
        return kinds.is_evaluation(self.path)

    @property
    def origin(self) -> "ScoredRun":
        """The run whose evaluation this is; else itself."""
        return ScoredRun(self.path.parents[1]) if self.is_evaluation else self


class DetectorRun(ScoredRun):
    """A training's run folder: a network or a fitted baseline, and how it was made."""

    EARLY = (*Run.EARLY, "clock.json")
    input_spec = JsonFile("input_spec.json")
    training = JsonFile("training.json", optional=True)

    model_file = File("model.keras")  # the network
    arrays_file = File("model.npz")  # the fitted arrays of a baseline

    @property
    def learnt_files(self) -> list[Path]:
        """What training has learnt, as far as it is there."""
        files = (self.model_file, self.arrays_file)
        return [file for file in files if file.is_file()]

    def write_model(self, model: "keras.Model") -> None:
        """Write the network."""
        with atomic_path(self.model_file) as path:
            model.save(path)

    clock_file = File("clock.json")  # the seconds of training, which go on after a kill

    def checkpoint_file(self, phase: str) -> Path:
        """Return where a training phase continues."""
        return self.path / "checkpoints" / f"{phase}.npz"

    tensorboard_folder = File("tensorboard")  # the logs for TensorBoard

    @property
    def base_weights(self) -> dict[str, str] | None:
        """Where the base's weights came from; None without any."""
        weights: dict[str, str] | None = self.config["weights"]
        return weights

    @cached_property
    def baseline(self) -> "BaselineConfig | None":
        """The configuration of a baseline's run; None for a network's.

        Raises:
            InputError: It is damaged.
        """
        from kerasfaces.run import baseline

        return baseline.config_of(self)

    @cached_property
    def network(self) -> "TrainedNetwork":
        """What the folder says of its network.

        Raises:
            InputError: It is a baseline's.
            KerasfacesError: A file is missing or damaged.
        """
        from kerasfaces.run import network

        return network.read(self)

    @cached_property
    def limits(self) -> Limits | None:
        """What a picture must have to get a verdict; None where nothing is known.

        Raises:
            MissingFileError: There is no input specification.
            RunError: It is damaged.
            InputError: Its limits are.
        """
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
        try:
            rows = self.manifest.rows
        except MissingFileError:
            return (
                f"{self.path} does not say what it was trained on: it has no "
                f"{self.manifest_file.name}."
            )
        rows = rows[rows["split"] == "train"]
        parts = []
        for label in ("real", "fake"):
            sources = rows["source"][rows["label"] == label]
            names = listed(sorted(set(sources) - {""}))
            parts.append(f"{len(sources):,} {label}" + (f" ({names})" if names else ""))
        return f"{self.path} was trained on {' and '.join(parts)} images."


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
    MARKS = ("study.json", "winner")


class MatrixRun(Run):
    """Trainings on some generators, each tested on all."""

    NOUN = "generator matrix"
    IDENTITY = "request.json"
    EARLY = ("format.json", "environment.json", "audit.json", "splits")
    LAST = ("crossgen.json", "crossgen.csv", "report.html")
    MARKS = ("crossgen.json", "request.json")
    result = JsonFile("crossgen.json")

    @property
    def is_finished(self) -> bool:
        """Whether it holds the whole result, no training of it having failed."""
        return super().is_finished and not self.result["failed"]

    table_file = File("crossgen.csv")  # one line per cell and metric

    def training_set(self, name: str) -> RepeatedRuns:
        """Return the runs of a training set."""
        return RepeatedRuns(self.path / "runs" / name)

    unsplit_file = File(
        "splits/manifest.csv"
    )  # the images with their hashes, before they are split

    def split_file(self, seed: int) -> Path:
        """Return where the splits of a seed are."""
        return self.path / "splits" / f"seed-{seed}.csv"


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
    MARKS = ("explain.json",)
    LAST = ("explain.html",)

    table_file = File("explanations.csv")  # one row per image
    report = File("explain.html")  # the page for people


KINDS: Sequence[type[Run]] = (
    EnsembleRun,
    AttributionRun,
    StudyRun,
    MatrixRun,
    RepeatedRuns,
    Comparison,
    Explanation,
)
