"""What laundering leaves of a detector: tables and a plot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, read_table
from kerasfaces.core.texts import quoted
from kerasfaces.launder import heatmap, limit, page
from kerasfaces.launder import table as tables
from kerasfaces.launder.cells import METRICS
from kerasfaces.run.folder import LaunderedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class LaunderingMatrix:
    """Each generator under each laundering at each strength; `Detector.launder` returns it.

    Attributes:
        folder: Where launder.json, launder.csv, laundered.csv and report.html lie.
    """

    def __init__(self, folder: Path) -> None:
        """Read a finished matrix."""
        self.folder = folder
        self._run = LaunderedRun(folder)
        self._content = self._run.result

    @property
    def table(self) -> pd.DataFrame:
        """Return one row per cell and metric: value, 95 % interval, n and method."""
        return read_table(self._run.table_file)

    @property
    def images(self) -> pd.DataFrame:
        """Return one row per image: its logit untouched and after each laundering."""
        return read_table(self._run.images_file)

    @property
    def worst(self) -> Json:
        """Return the cell with the lowest AUC, as launder.json has it; empty if none has one."""
        return dict(self._content["worst"] or {})

    @property
    def report(self) -> Path:
        """Return the path of the self-contained HTML report."""
        return self._run.report

    def matrix(self, metric: str = "auc") -> pd.DataFrame:
        """Return a metric's values, version such as `jpeg 70` (row) by generator (column).

        Args:
            metric: A name of the column `metric` of `table`.

        Raises:
            InputError: There is no such metric; the message lists them.
        """
        if metric not in METRICS:
            raise InputError(
                f"metric: there is no {quoted(metric)}; there are {', '.join(METRICS)}."
            )
        values: dict[str, dict[str, float | None]] = {}
        for cell in self._content["cells"]:
            column = values.setdefault(cell["generator"], {})
            number = cell["metrics"].get(metric, {}).get("value")
            column[heatmap.name_of(cell)] = number
        return pd.DataFrame(values, dtype=float)

    def below(self, auc: float) -> list[Json]:
        """Return the cells whose AUC is below a limit or could not be measured.

        Raises:
            InputError: The limit is no AUC.
        """
        limit.check(auc)
        return [dict(each) for each in limit.below(self._content, auc)]

    def plot(self) -> Axes:
        """Draw the AUC of every cell; the dashed frame marks the worst.

        Returns:
            Matplotlib's axes, to save.
        """
        return heatmap.plot(self._content["cells"], self._content["worst"])

    def __repr__(self) -> str:
        """Return the tables that the command line prints."""
        return tables.text(self._content)

    def _repr_html_(self) -> str:
        """Return the picture as a notebook shows it."""
        picture = heatmap.draw(self._content["cells"], self._content["worst"])
        return f"<p>{page.headline(self._content)}</p>{picture}"
