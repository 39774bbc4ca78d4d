"""A run folder with predictions, and the operating point that turns logits into answers."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces.core import config as configs
from kerasfaces.core.errors import MissingFileError, RunError
from kerasfaces.core.files import Json, read_json, read_table, write_json, write_text
from kerasfaces.core.texts import quoted
from kerasfaces.run import kinds
from kerasfaces.run.layout import File, JsonFile, Run
from kerasfaces.run.operating_point import OperatingPoint

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


class ScoredRun(Run):
    """A run with predictions: a detector's, an ensemble's, or an evaluation of one."""

    LAST = ("metrics.json", "report.html")
    metrics = JsonFile("metrics.json")
    unseen = JsonFile("unseen.json", optional=True)  # of families that were left out
    # labels and logits that its threshold is chosen on, without the images' names
    unseen_validation = JsonFile("unseen_validation.json", optional=True)
    added = JsonFile("added.json", optional=True)  # against the run it was made from
    point_file = File(kinds.POINT)  # what turns a logit into an answer

    def check(self) -> None:
        """Refuse a run without an operating point, by what the folder is, or a damaged one."""
        if not self.point_file.is_file():
            raise MissingFileError(f"{self.path} {kinds.why_no_run(self.path)}")
        _ = self.operating_point, self.image_root

    @property
    def operating_point(self) -> OperatingPoint:
        """Calibration and thresholds, frozen on validation."""
        return OperatingPoint.from_json(
            read_json(self.point_file), str(self.point_file)
        )

    def write_operating_point(self, point: OperatingPoint) -> None:
        """Write operating_point.json."""
        write_json(self.point_file, point.to_json())

    def decisions_folder(self, method: str) -> Path:
        """Return where decisions by the operating point are explained by a method."""
        digest = configs.digest(self.operating_point.to_json())
        return self.path / "decisions" / f"{method}-{digest[:12]}"

    @property
    def decisions(self) -> dict[str, Path]:
        """The finished explanations of decisions by the operating point, by method."""
        every = (self.path / "decisions").glob("*-*/explain.html")
        methods = {file.parent.name.rpartition("-")[0] for file in every}
        folders = {name: self.decisions_folder(name) for name in sorted(methods)}
        return {
            name: folder
            for name, folder in folders.items()
            if (folder / "explain.html").is_file()
        }

    def predictions_file(self, split: str) -> Path:
        """Return where a split's predictions are."""
        return self.path / f"predictions_{split}.csv"

    @property
    def predicted(self) -> list[str]:
        """The splits that have predictions."""
        files = self.path.glob("predictions_*.csv")
        return sorted(file.stem.partition("_")[2] for file in files)

    def predictions(self, split: str) -> "pd.DataFrame":
        """Return a split's predictions; see `predictions.read`."""
        from kerasfaces.run import predictions

        return predictions.read(self.predictions_file(split))

    def readable(self, split: str) -> "pd.DataFrame":
        """Return a split's predictions without the images that have none."""
        from kerasfaces.run import predictions

        return predictions.readable(self.predictions(split))

    def write_predictions(self, split: str, frame: "pd.DataFrame") -> None:
        """Write a split's predictions."""
        from kerasfaces.run import predictions

        predictions.write(frame, self.predictions_file(split))

    def measured(self, split: str, part: str = "all") -> Json:
        """Return the metrics of a slice, as metrics.json has them."""
        entry: Json = self.metrics["metrics"][split][part]
        return entry

    @property
    def settings(self) -> Json:
        """What was measured before, with its settings; empty where it never was."""
        return self.metrics if (self.path / "metrics.json").is_file() else {}

    @property
    def image_root(self) -> Path | None:
        """What relative paths in the predictions are relative to; None if unknown."""
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
    def table(self) -> "pd.DataFrame":
        """Every metric of every slice, one per row."""
        return read_table(self.path / "metrics.csv")

    def write_table(self, table: "pd.DataFrame") -> None:
        """Write metrics.csv."""
        text = table.to_csv(index=False, lineterminator="\n")
        write_text(self.path / "metrics.csv", text)

    @property
    def history(self) -> "pd.DataFrame | None":
        """One row per epoch; None where there was none."""
        path = self.path / "history.csv"
        written = path.is_file() and path.read_bytes().strip()
        return read_table(path) if written else None

    def write_history(self, history: "pd.DataFrame") -> None:
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
