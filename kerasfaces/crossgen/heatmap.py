"""AUC of every training set on every generator as one picture.

Cells below .5 (the detector prefers the fakes) turn orange, those above blue; each
carries its interval. The thick frame marks a detector's own generator, the dashed one
the worst cell.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from kerasfaces.crossgen.cells import CellResult
from kerasfaces.report import chart, heatmap
from kerasfaces.report.markup import MISSING, interval, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELL_W, _CELL_H, _TOP, _GAP, _FOOT = 112.0, 58.0, 76.0, 12.0, 52.0
_CHARACTER = 7.4  # pixels
_NAME, _HEAD = 22, 14  # characters of a row's and a column's name


@dataclasses.dataclass(frozen=True)
class Line:
    """A row of the picture."""

    name: str  # of the training set
    cells: Sequence[CellResult | None]  # one per column; None stays empty
    apart: bool = False  # leave a gap above
    note: str = ""  # instead of cells; the row is then a narrow one

    @property
    def height(self) -> float:
        """Pixels, the gap above not included."""
        return _CELL_H / 2 if self.note else _CELL_H


def draw(
    columns: Sequence[str], lines: Sequence[Line], worst: CellResult | None
) -> Markup:
    """Return the picture: what is trained on from the top, what is tested from the left."""
    left = 24 + _CHARACTER * max(min(len(line.name), _NAME) for line in lines)
    width = left + max(_CELL_W * len(columns), heatmap.SCALE_W) + 8
    height = _TOP + sum(each.height + _GAP * each.apart for each in lines) + _FOOT
    # Coordinates are pixels from the top left corner.
    axes = chart.axes(
        (0, width), (height, 0), size_px=(width, height), margins_px=(0, 0, 0, 0)
    )
    axes.set_axis_off()
    ink = chart.COLOURS["ink"]
    chart.text(axes, left, 10, "tested on", colour=ink)
    chart.text(axes, left - 10, _TOP - 12, "trained on", align="right", colour=ink)
    for column, name in enumerate(columns):
        heatmap.head(axes, left + (column + 0.5) * _CELL_W, _TOP - 14, name, _HEAD)
    titles: dict[str, str] = {}
    y = _TOP
    for line in lines:
        y += _GAP if line.apart else 0
        name, middle = chart.shortened(line.name, _NAME), y + line.height / 2
        chart.text(axes, left - 10, middle, name, align="right", colour=ink)
        chart.text(axes, left + 6, middle, line.note)
        for column, cell in enumerate(line.cells):
            if cell is None:
                continue
            x, gid = left + column * _CELL_W, f"cell{len(titles)}"
            titles[gid] = _cell(axes, cell, x, y, gid)
            if cell.own and len(cell.cell.train) == 1:
                _box(axes, x, y, 3.5, ink, linewidth=3, zorder=3)
            if cell is worst:
                dashes = (0, (3, 2))
                fake = chart.COLOURS["fake"]
                _box(axes, x, y, 6, fake, linewidth=2, linestyle=dashes, zorder=3)
        y += line.height
    heatmap.scale(axes, left, y + 14)
    return chart.svg(axes, "AUC of each training set on each generator", titles)


def _cell(axes: "Axes", cell: CellResult, x: float, y: float, gid: str) -> str:
    """Draw a cell and return what it says in a sentence."""
    about = f"{cell.cell.name} on {cell.cell.tested}"
    middle, rule = x + _CELL_W / 2, chart.COLOURS["rule"]
    if not math.isfinite(cell.auc):
        _box(axes, x, y, 1, rule, gid=gid)
        shown = cell.status.partition(":")[0] if cell.status != "run" else MISSING
        chart.text(axes, middle, y + _CELL_H / 2, shown, align="center")
        return f"{about}: {cell.status}"
    auc, fill = cell.metrics["auc"], heatmap.colour(cell.auc)
    _box(axes, x, y, 1, rule, facecolor=fill, gid=gid)
    ink = heatmap.ink(fill)
    limits = interval(auc["low"], auc["high"])
    value = number(cell.auc).replace("0.", ".")
    shown = limits.replace(" to ", "–").replace("0.", ".")
    look: dict[str, Any] = {"align": "center", "colour": ink}
    chart.text(axes, middle, y + 22, value, size_px=18, weight="bold", **look)
    chart.text(axes, middle, y + 42, shown, size_px=12, **look)
    sd = "" if auc["sd"] is None else f" ± {number(auc['sd'])}"
    return f"{about}: AUC {number(cell.auc)}{sd}, {limits}, {cell.n_real} real, {cell.n_fake} fake"


def _box(
    axes: "Axes", x: float, y: float, inside: float, edge: str, **more: Any
) -> None:
    """Draw a cell's frame, some pixels inside of it."""
    size = (_CELL_W - 2 * inside, _CELL_H - 2 * inside)
    heatmap.box(axes, (x + inside, y + inside), size, edge, **more)
