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

from pathlib import Path

from kerasfaces.run.analyses import Comparison as Comparison
from kerasfaces.run.analyses import EmbeddingMap as EmbeddingMap
from kerasfaces.run.analyses import Explanation as Explanation
from kerasfaces.run.analyses import LaunderedRun as LaunderedRun
from kerasfaces.run.detector import DetectorRun as DetectorRun
from kerasfaces.run.detector import UnseenRun as UnseenRun
from kerasfaces.run.layout import File, JsonFile
from kerasfaces.run.layout import Run as Run  # of any kind
from kerasfaces.run.scored import ScoredRun as ScoredRun


class EnsembleRun(ScoredRun):
    """Several detectors' predictions joined; it has no network of its own."""

    NOUN = "ensemble"
    LAST = ("ensemble.json", "report.html")
    MARKS = ("ensemble.json",)
    facts = JsonFile("ensemble.json")


class AttributionRun(Run):
    """Heads that tell which generator made an image."""

    NOUN = "attribution"
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
