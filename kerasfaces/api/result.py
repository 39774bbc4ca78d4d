"""What was measured of a detector: tables, plots, and a face in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import near_hint, quoted
from kerasfaces.evaluate import attribute_words, names, table
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

    Example:
        >>> result = detector.evaluate()  # doctest: +SKIP
        >>> result["auc"].value, result["auc"].low, result["auc"].high  # doctest: +SKIP
        >>> result.by("attr_gender")  # doctest: +SKIP
        >>> result.plot_roc().figure.savefig("roc.pdf")  # doctest: +SKIP
    """

    def __init__(self, folder: Path, split: str, point: OperatingPoint) -> None:
        """Read a finished evaluation; `Detector.evaluate` returns one.

        Raises:
            InputError: There are no predictions of this split.
        """
        self.folder, self.split, self.point = folder, split, point
        self._run = ScoredRun(folder)
        self._content = self._run.metrics
        if split not in self._content["metrics"]:
            known = ", ".join(self._content["metrics"])
            raise InputError(
                f"split: {quoted(split)} was not measured; there are {known}."
            )

    @property
    def metrics(self) -> Json:
        """Return slice -> its metrics, as in metrics.json; `all` is every image."""
        slices: Json = self._content["metrics"][self.split]
        return slices

    def __getitem__(self, metric: str) -> Estimate:
        """Return a metric over all images: `result["auc"].value`, `.low`, `.high`.

        Raises:
            InputError: There is no such metric; the message lists them.
        """
        if metric not in names.TITLES:
            raise InputError(
                f"There is no metric {quoted(metric)}; there are {', '.join(names.TITLES)}."
                + near_hint(metric, names.TITLES)
            )
        part = self.metrics["all"][metric]
        values = {key: part[key] for key in ("value", "low", "high")}
        numbers = {key: float("nan") if v is None else v for key, v in values.items()}
        return Estimate(**numbers, method=part["method"])

    @property
    def table(self) -> pd.DataFrame:
        """Return every metric of every slice: value, 95 % interval, n and method."""
        lines = self._run.table
        lines = lines[lines["split"] == self.split].drop(columns="split")
        return lines.reset_index(drop=True)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Return one row per image: path, label, source, logit, score and reason."""
        return self._run.predictions(self.split)

    @property
    def report(self) -> Path:
        """Return the path of the self-contained HTML report."""
        return self._run.report

    def by(self, column: str) -> pd.DataFrame:
        """Return how often the detector errs in every group of a column.

        Args:
            column: `source`, an attribute such as `attr_gender`, or a pair of attributes
                that was measured, such as `attr_gender*attr_race`.

        Returns:
            One row per value: counts, accuracy with its 95 % interval, AUC, the difference
            of its accuracy (classes weighted alike) from that of the other groups, p
            corrected for the number of groups (Holm), and whether that is below .05. Of
            attributes also `false_alarm_rate` and `miss_rate`, each with `_low`, `_high`,
            `_gap` to the other groups, `_gap_low`, `_gap_high` and `_p_holm`; where the
            annotator's errors are known, gaps allow for them.

        Raises:
            InputError: The images have no such column.
        """
        groups = self._content.get("groups", {}).get(self.split, {})
        if column not in groups and column not in self._attributes:
            known = list(dict.fromkeys([*groups, *self._attributes]))
            raise InputError(
                f"by: there is no column {quoted(column)}; there are {', '.join(known)}."
                + near_hint(column, known)
            )
        errors = attribute_words.errors(self._attributes.get(column, {}))
        if column not in groups:
            return pd.DataFrame(errors).rename_axis(column)
        lines = {}
        for group in groups[column]:
            part = self.metrics[f"{column}={group['value']}"]
            lines[group["value"]] = {
                "n_real": part["n_real"],
                "n_fake": part["n_fake"],
                "accuracy": part["accuracy"]["value"],
                "low": part["accuracy"]["low"],
                "high": part["accuracy"]["high"],
                "auc": part["auc"]["value"],
                "difference": group["difference"],
                "p_holm": group["p_holm"],
                "distinguishable": group["distinguishable"],
            }
        frame = pd.DataFrame.from_dict(lines, orient="index").rename_axis(column)
        return frame.join(errors.drop(columns=frame.columns, errors="ignore"))

    def sentences(self, column: str) -> list[str]:
        """Return what was measured of an attribute, in sentences that may be quoted.

        Args:
            column: An attribute, or a pair of them; see `by`.

        Raises:
            InputError: It was not measured.
        """
        content = self._attribute(column)
        return [
            *attribute_words.quotes(column, content),
            *attribute_words.notes(column, content),
        ]

    def plot_by(
        self,
        column: str,
        metric: Literal["false_alarm_rate", "miss_rate"] = "false_alarm_rate",
        ax: Axes | None = None,
    ) -> Axes:
        """Draw every group's rate of errors with its 95 % interval, and that of all.

        Args:
            column: An attribute, or a pair of them; see `by`.
            metric: Which errors: reals called fake, or fakes called real.
            ax: Matplotlib's axes to draw on; new ones if None.

        Returns:
            The axes, to restyle or to save.

        Raises:
            InputError: The column was not measured, or there is no such rate.
        """
        from kerasfaces.evaluate import plots

        content = self._attribute(column)
        if metric not in plots.GROUP_RATES:
            raise InputError(
                f"metric: expected {' or '.join(plots.GROUP_RATES)}, got {quoted(metric)}."
            )
        axes = self._axes(ax, plots.GROUP_RATES[metric], "")
        plots.group_rates(axes, content, metric)
        axes.legend()
        return axes

    @property
    def _attributes(self) -> Json:
        measured: Json
        measured = self._content.get("attributes", {}).get(self.split, {})
        return measured

    def _attribute(self, column: str) -> Json:
        if column not in self._attributes:
            raise InputError(
                f"There is no attribute {quoted(column)}; there are "
                f"{', '.join(self._attributes) or 'none'}. An older run is measured again by "
                "`kerasfaces evaluate RUN`."
            )
        content: Json = self._attributes[column]
        return content

    def plot_roc(self, ax: Axes | None = None) -> Axes:
        """Draw recall against the false-alarm rate, with the frozen threshold's point.

        Args:
            ax: Matplotlib's axes to draw on; new ones if None.

        Returns:
            The axes, to restyle or to save.
        """
        from kerasfaces.evaluate import plots

        axes = self._axes(ax, plots.FALSE_ALARMS, plots.RECALL)
        self._draw(axes, plots.roc, "auc", "AUC")
        axes.legend(loc="lower right")
        return axes

    def plot_precision_recall(self, ax: Axes | None = None) -> Axes:
        """Draw precision against recall, as `plot_roc` does."""
        from kerasfaces.evaluate import plots

        axes = self._axes(ax, plots.RECALL, "precision")
        self._draw(axes, plots.precision_recall, "ap", "average precision")
        axes.legend(loc="lower left")
        return axes

    def plot_scores(self, ax: Axes | None = None) -> Axes:
        """Draw how many reals and fakes have which score, with threshold and unsure band.

        For argument and result see `plot_roc`.
        """
        from kerasfaces.evaluate import metrics_json, plots

        axes = self._axes(ax, plots.SCORE, "images")
        plots.scores(axes, metrics_json.rows(self.predictions), self.point)
        axes.legend()
        return axes

    def _axes(self, ax: Axes | None, x_label: str, y_label: str) -> Axes:
        if ax is None:
            from matplotlib import pyplot

            _, ax = pyplot.subplots(figsize=(5, 4.5), layout="constrained")
        n = self.metrics["all"]["n"]
        title = f"{self.folder.name}, {self.split}, n = {n:,}"
        limits = (-0.01, 1.01)
        ax.set(xlabel=x_label, ylabel=y_label, title=title, xlim=limits, ylim=limits)
        return ax

    def _draw(
        self, axes: Axes, curve: Callable[..., None], metric: str, name: str
    ) -> None:
        from kerasfaces.evaluate import metrics_json

        rows, one = metrics_json.rows(self.predictions), self[metric]
        label = f"{name} {one.value:.3f} ({one.low:.3f} to {one.high:.3f})"
        curve(axes, rows, [(self.point.threshold, "threshold")], label)

    def text(self, by: Sequence[str] | None = None) -> str:
        """Return the tables that the command line prints.

        Args:
            by: Columns with a table of their own; by default all.
        """
        return table.text(self._content, self.split, by)

    def __repr__(self) -> str:
        """Return the tables that the command line prints."""
        return self.text()

    def _repr_html_(self) -> str:
        """Return the headlines as a notebook shows them, with n and the report's place."""
        part = self.metrics["all"]
        lines = [(names.TITLES[name], *_cells(part[name])) for name in names.HEADLINES]
        frame = pd.DataFrame(lines, columns=["", self.split, "95 % interval"])
        shown: str = frame.to_html(index=False, border=0)
        notes = [
            f"<li>{escape(text)}</li>" for text in self._content.get("warnings", ())
        ]
        return (
            f"{shown}<p>{part['n']:,} images: {part['n_real']:,} real, "
            f"{part['n_fake']:,} fake; {part['n_unreadable']:,} unreadable. "
            f"Report: <code>{escape(str(self.report))}</code></p>"
            + (f"<ul>{''.join(notes)}</ul>" if notes else "")
        )


def _cells(metric: Json) -> tuple[str, str]:
    """Return a metric's value and its interval, or why there is none."""
    value, low, high = (metric[key] for key in ("value", "low", "high"))
    return (
        "–" if value is None else f"{value:.3f}",
        str(metric["method"]) if low is None else f"{low:.3f} to {high:.3f}",
    )
