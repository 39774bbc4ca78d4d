"""What was measured of several detectors: tables, and a face in a notebook."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kerasfaces.api.detector import Detector
from kerasfaces.compare import table as compare_table
from kerasfaces.compare.comparison import Comparison
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.evaluate import names
from kerasfaces.run.folder import Run


class ComparisonResult:
    """Detectors measured on the images that all of them scored.

    Attributes:
        folder: Where compare.json and report.html lie.
    """

    def __init__(self, folder: Path, comparison: Comparison) -> None:
        """Take a finished comparison."""
        self.folder, self._content = folder, comparison.content

    @property
    def table(self) -> pd.DataFrame:
        """Return one row per detector: every headline metric with its 95 % interval."""
        lines = {
            name: {
                (metric, key): detector["metrics"]["all"][metric][key]
                for metric in names.HEADLINES
                for key in ("value", "low", "high")
            }
            for name, detector in self._content["detectors"].items()
        }
        return pd.DataFrame.from_dict(lines, orient="index")

    @property
    def differences(self) -> pd.DataFrame:
        """Return each detector's paired difference from the reference, by slice and metric.

        Columns: `value`, `low`, `high`, `p`, `p_holm` (corrected for the number of
        detectors).
        """
        lines = [
            {"detector": name, "slice": part, "metric": metric, **numbers}
            for name, detector in self._content["detectors"].items()
            for part, metrics in detector["differences"].items()
            for metric, numbers in metrics.items()
        ]
        columns = ["detector", "slice", "metric"]
        return pd.DataFrame(lines).set_index(columns) if lines else pd.DataFrame()

    @property
    def not_compared(self) -> Mapping[str, str]:
        """Return the detectors that are left out, with the reason of each."""
        left_out: Mapping[str, str] = self._content["not_compared"]
        return left_out

    @property
    def report(self) -> Path:
        """Return the path of the HTML report."""
        return Run(self.folder).report

    def __repr__(self) -> str:
        """Return the table that the command line prints."""
        return compare_table.text(self._content)

    def _repr_html_(self) -> str:
        """Return the table as a notebook shows it."""
        shown: str = self.table.to_html(float_format="{:.3f}".format)
        return shown


@dataclasses.dataclass(frozen=True)
class StudyResult:
    """A study that is over: its trials ranked, and its winner trained.

    Attributes:
        folder: The study's folder, with report.html.
        leaderboard: One row per trial, best first.
        winner: The winner, trained again and measured once on test.
    """

    folder: Path
    leaderboard: pd.DataFrame
    winner: Detector


@dataclasses.dataclass(frozen=True)
class GeneratorMatrix:
    """How well detectors of each generator detect each generator.

    Attributes:
        folder: Where crossgen.json and report.html lie.
        table: One row per training set and tested generator.
        failed: Training set -> why it failed.
    """

    folder: Path
    table: pd.DataFrame
    failed: Mapping[str, str]

    def matrix(self, metric: str = "auc") -> pd.DataFrame:
        """Return a metric, trained on (row) by tested on (column), mean over seeds.

        The row `all but the tested` holds, per column, the set that left this one out.
        """
        cells = self.table[self.table["metric"] == metric]
        if cells.empty:
            known = ", ".join(self.table["metric"].dropna().unique())
            raise InputError(
                f"metric: there is no {quoted(metric)}; there are {known}."
            )
        left_out = cells["table"] == "leave_one_out"
        rows = cells["train"].mask(left_out, "all but the tested")
        order = dict.fromkeys(rows), dict.fromkeys(cells["test"])
        grid = pd.crosstab(rows, cells["test"], cells["value"], aggfunc="first")
        return grid.reindex(index=list(order[0]), columns=list(order[1]))
