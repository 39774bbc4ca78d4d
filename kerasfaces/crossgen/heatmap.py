"""AUC of every training set on every generator as one picture.

Cells below .5 (the detector prefers the fakes) turn orange, those above blue; each
carries its interval. The thick frame marks a detector's own generator, the dashed one
the worst cell.
"""

import dataclasses
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from kerasfaces.core.texts import plain
from kerasfaces.crossgen.cells import CellResult
from kerasfaces.report import chart
from kerasfaces.report.markup import MISSING, interval, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELL_W, _CELL_H, _TOP, _GAP, _FOOT = 112.0, 58.0, 76.0, 12.0, 52.0
_CHARACTER = 7.4  # pixels
_NAME, _HEAD = 22, 14  # characters of a row's and a column's name
_LOW, _MIDDLE, _HIGH = (184, 80, 12), (243, 241, 236), (12, 78, 130)


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
    width = left + _CELL_W * len(columns) + 8
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
        _head(axes, left + (column + 0.5) * _CELL_W, name)
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
    _scale(axes, left, y + 14)
    return chart.svg(axes, "AUC of each training set on each generator", titles)


def colour(value: float) -> str:
    """Return the fill of an AUC, `#rrggbb`."""
    end, share = (_HIGH, 2 * value - 1) if value >= 0.5 else (_LOW, 1 - 2 * value)
    share = min(max(share, 0.0), 1.0) ** 1.5  # differences near 1 are what matters
    mixed = [round(m + (e - m) * share) for m, e in zip(_MIDDLE, end, strict=True)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _cell(axes: "Axes", cell: CellResult, x: float, y: float, gid: str) -> str:
    """Draw a cell and return what it says in a sentence."""
    about = f"{cell.cell.name} on {cell.cell.tested}"
    middle, rule = x + _CELL_W / 2, chart.COLOURS["rule"]
    if not math.isfinite(cell.auc):
        _box(axes, x, y, 1, rule, gid=gid)
        shown = cell.status.partition(":")[0] if cell.status != "run" else MISSING
        chart.text(axes, middle, y + _CELL_H / 2, shown, align="center")
        return f"{about}: {cell.status}"
    auc, fill = cell.metrics["auc"], colour(cell.auc)
    _box(axes, x, y, 1, rule, facecolor=fill, gid=gid)
    ink = "#ffffff" if _dark(fill) else "#1c2025"  # on any page
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
    from matplotlib.patches import FancyBboxPatch

    look = {"facecolor": "none", "linewidth": 1.0, "zorder": 1, **more}
    corner = (x + inside, y + inside)
    size = (_CELL_W - 2 * inside, _CELL_H - 2 * inside)
    shape = "round,pad=0,rounding_size=3"
    axes.add_patch(FancyBboxPatch(corner, *size, shape, edgecolor=edge, **look))


def _head(axes: "Axes", middle: float, name: str) -> None:
    """Write a column's name in at most three narrow lines, broken at `_`, `-`, `+`, space."""
    pieces = re.sub(r"([_\-+ ])", "\\1\x00", plain(name)).split("\x00")
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1] + piece) > _HEAD:
            lines.append("")
        lines[-1] += piece
    lines = [*lines[:2], "…"] if len(lines) > 3 else lines
    for i, line in enumerate(reversed(lines)):
        y, words = _TOP - 14 - 15 * i, chart.shortened(line, _HEAD)
        chart.text(axes, middle, y, words, align="center", colour=chart.COLOURS["ink"])


def _scale(axes: "Axes", left: float, y: float) -> None:
    """Draw the colours with their values."""
    steps, width = 40, 6.0
    values = np.linspace(0, 1, steps)
    axes.bar(
        left + width * np.arange(steps),
        9,
        width,
        bottom=y,
        align="edge",
        color=[colour(float(value)) for value in values],
    )
    half = steps * width / 2
    chart.text(axes, left, y + 20, "0")
    chart.text(axes, left + half, y + 20, ".5 chance", align="center")
    chart.text(axes, left + 2 * half, y + 20, "1 AUC", align="right")


def _dark(fill: str) -> bool:
    red, green, blue = (int(fill[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 150
