"""What was measured of a detector: tables, plots, and a face in a notebook."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.evaluate import names, table
from kerasfaces.metrics import Estimate
from kerasfaces.run.folder import ScoredRun
from kerasfaces.run.operating_point import OperatingPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Result:
    """The measures of a detector on one split, as `metrics.json` keeps them.

    Attributes:
        folder: Where metrics.json, predictions and report.html lie.
        split: Which split was measured.
        point: The operating point, frozen on validation.
    """

    def __init__(self, folder: Path, split: str, point: OperatingPoint) -> None:
        """Read a finished evaluation.

        Raises:
            InputError: There are no predictions of this split.
        """
        self.folder, self.split, self.point = folder, split, point
        self._content: dict[str, Any] = ScoredRun(folder).metrics
        if split not in self._content["metrics"]:
            known = ", ".join(self._content["metrics"])
            raise InputError(
                f"split: {quoted(split)} was not measured; there are {known}."
            )

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Return slice -> its metrics, as in metrics.json; `all` is every image."""
        slices: Mapping[str, Any] = self._content["metrics"][self.split]
        return slices

    def __getitem__(self, metric: str) -> Estimate:
        """Return a metric over all images: `result["auc"].value`, `.low`, `.high`."""
        if metric not in names.TITLES:
            raise InputError(
                f"There is no metric {quoted(metric)}; there are {', '.join(names.TITLES)}."
            )
        part = self.metrics["all"][metric]
        values = {key: part[key] for key in ("value", "low", "high")}
        numbers = {key: float("nan") if v is None else v for key, v in values.items()}
        return Estimate(**numbers, method=part["method"])

    @cached_property
    def table(self) -> pd.DataFrame:
        """Return every metric of every slice: value, 95 % interval, n and method."""
        lines = ScoredRun(self.folder).table
        lines = lines[lines["split"] == self.split].drop(columns="split")
        return lines.reset_index(drop=True)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Return one row per image: path, label, source, logit, score and reason."""
        return ScoredRun(self.folder).predictions(self.split)

    @property
    def report(self) -> Path:
        """Return the path of the self-contained HTML report."""
        return ScoredRun(self.folder).report

    def by(self, column: str) -> pd.DataFrame:
        """Return the accuracy of every group of a column, compared with the others.

        Args:
            column: `source` or an attribute such as `attr_gender`.

        Returns:
            One row per value: counts, accuracy with its 95 % interval, AUC, the difference
            of its accuracy from that of the other groups, p corrected for the number of
            groups (Holm), and whether that is below .05.

        Raises:
            InputError: The images have no such column.
        """
        groups = self._content.get("groups", {}).get(self.split, {})
        if column not in groups:
            raise InputError(
                f"by: there is no column {quoted(column)}; there are {', '.join(groups)}."
            )
        lines = []
        for group in groups[column]:
            found = self.metrics[f"{column}={group['value']}"]
            lines.append(
                {
                    column: group["value"],
                    "n_real": found["n_real"],
                    "n_fake": found["n_fake"],
                    "accuracy": found["accuracy"]["value"],
                    "low": found["accuracy"]["low"],
                    "high": found["accuracy"]["high"],
                    "auc": found["auc"]["value"],
                    "difference": group["difference"],
                    "p_holm": group["p_holm"],
                    "distinguishable": group["distinguishable"],
                }
            )
        return pd.DataFrame(lines).set_index(column)

    def plot_roc(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the ROC curve and the operating point; return Matplotlib's axes."""
        from kerasfaces.api import plots

        return plots.roc(self, ax)

    def plot_precision_recall(self, ax: "Axes | None" = None) -> "Axes":
        """Draw precision against recall; return Matplotlib's axes."""
        from kerasfaces.api import plots

        return plots.precision_recall(self, ax)

    def plot_scores(self, ax: "Axes | None" = None) -> "Axes":
        """Draw how scores of reals and fakes are distributed; return Matplotlib's axes."""
        from kerasfaces.api import plots

        return plots.scores(self, ax)

    def __repr__(self) -> str:
        """Return the table that the command line prints."""
        return table.text(self._content, self.split)

    def _repr_html_(self) -> str:
        """Return the headlines as a notebook shows them, with n and the report's place."""
        found = self.metrics["all"]
        lines = [
            (names.TITLES[name], _text(found[name]["value"]), _limits(found[name]))
            for name in names.HEADLINES
        ]
        frame = pd.DataFrame(lines, columns=["", self.split, "95 % interval"])
        counts = (
            f"{found['n']:,} images: {found['n_real']:,} real, {found['n_fake']:,} fake; "
            f"{found['n_unreadable']:,} unreadable"
        )
        notes = _notes(self._content)
        shown: str = frame.to_html(index=False, border=0)
        return f"{shown}<p>{counts}. Report: <code>{_escaped(self.report)}</code></p>{notes}"


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _limits(part: Mapping[str, Any]) -> str:
    if part["low"] is None:
        return str(part["method"])
    return f"{part['low']:.3f} to {part['high']:.3f}"


def _notes(content: Mapping[str, Any]) -> str:
    sentences: Sequence[str] = content.get("warnings", ())
    if not sentences:
        return ""
    return (
        "<ul>" + "".join(f"<li>{_escaped(text)}</li>" for text in sentences) + "</ul>"
    )


def _escaped(value: object) -> str:
    from html import escape

    return escape(str(value))
