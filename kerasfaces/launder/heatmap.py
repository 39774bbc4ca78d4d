"""AUC of every generator under every laundering and strength as one picture.

Cells below .5 (the detector prefers the fakes) turn orange, those above blue. The dashed
frame marks the worst cell; intervals are in the tables and under the pointer.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from kerasfaces.core.files import Json
from kerasfaces.report import chart, heatmap
from kerasfaces.report.markup import MISSING, interval, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELL_W, _CELL_H, _LEFT, _TOP, _GAP, _FOOT = 92.0, 25.0, 152.0, 74.0, 7.0, 50.0
_HEAD = 13  # characters of a column's name


def draw(cells: Sequence[Json], worst: Json | None) -> Markup:
    """Return the picture for a page; cells are those of launder.json."""
    titles: dict[str, str] = {}
    axes = plot(cells, worst, titles)
    return chart.svg(axes, "AUC of each generator under each laundering", titles)


def plot(
    cells: Sequence[Json], worst: Json | None, titles: dict[str, str] | None = None
) -> "Axes":
    """Return Matplotlib's axes: launderings from the top, generators from the left.

    Args:
        cells: Of launder.json.
        worst: The one to mark.
        titles: Filled in with what each cell says in a sentence.
    """
    columns = list(dict.fromkeys(each["generator"] for each in cells))
    lines: dict[tuple[str, float | None], dict[str, Json]] = {}
    for cell in cells:
        line = lines.setdefault((cell["laundering"], cell["strength"]), {})
        line[cell["generator"]] = cell
    n_gaps = len({name for name, _ in lines}) - 1
    width = _LEFT + max(_CELL_W * len(columns), heatmap.SCALE_W) + 8
    height = _TOP + _CELL_H * len(lines) + _GAP * n_gaps + _FOOT
    # Coordinates are pixels from the top left corner.
    axes = chart.axes(
        (0, width), (height, 0), size_px=(width, height), margins_px=(0, 0, 0, 0)
    )
    axes.set_axis_off()
    for column, name in enumerate(columns):
        middle = _LEFT + (column + 0.5) * _CELL_W
        heatmap.head(axes, middle, _TOP - 14, name, _HEAD)
    y, above = _TOP, None
    for (laundering, strength), line in lines.items():
        y += _GAP if above not in (None, laundering) else 0
        ink, soft = chart.COLOURS["ink"], chart.COLOURS["soft"]
        if above != laundering:
            name = laundering or "untouched"
            chart.text(axes, 8, y + _CELL_H / 2, name, colour=ink)
        if strength is not None:
            place = _LEFT - 10, y + _CELL_H / 2
            chart.text(axes, *place, f"{strength:g}", align="right", colour=soft)
        for column, name in enumerate(columns):
            if name in line:
                x = _LEFT + column * _CELL_W
                _cell(axes, line[name], x, y, titles if titles is not None else {})
                if line[name] is worst or line[name] == worst:
                    _mark(axes, x, y)
        above, y = laundering, y + _CELL_H
    heatmap.scale(axes, _LEFT, y + 14)
    return axes


def _cell(axes: "Axes", cell: Json, x: float, y: float, titles: dict[str, str]) -> None:
    gid = f"cell{len(titles)}"
    about = f"{name_of(cell)}, {cell['generator']}"
    auc = cell["metrics"].get("auc")
    if auc is None or auc["value"] is None:
        titles[gid] = f"{about}: {cell['status']}"
        heatmap.box(axes, *_frame(x, y, 1), chart.COLOURS["rule"], gid=gid)
        words, ink = MISSING, chart.COLOURS["soft"]
    else:
        fill = heatmap.colour(auc["value"])
        limits = interval(auc["low"], auc["high"])
        titles[gid] = (
            f"{about}: AUC {number(auc['value'])}, {limits}, {cell['n_real']} real, "
            f"{cell['n_fake']} fake"
        )
        frame = _frame(x, y, 1)
        heatmap.box(axes, *frame, chart.COLOURS["rule"], facecolor=fill, gid=gid)
        words, ink = number(auc["value"]).replace("0.", "."), heatmap.ink(fill)
    middle = x + _CELL_W / 2, y + _CELL_H / 2
    chart.text(axes, *middle, words, align="center", colour=ink, size_px=14)


def _mark(axes: "Axes", x: float, y: float) -> None:
    dashes = (0, (3, 2))
    look: dict[str, Any] = {"linewidth": 2, "linestyle": dashes, "zorder": 3}
    heatmap.box(axes, *_frame(x, y, 3), chart.COLOURS["fake"], **look)


def _frame(
    x: float, y: float, inside: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    size = (_CELL_W - 2 * inside, _CELL_H - 2 * inside)
    return (x + inside, y + inside), size


def name_of(cell: Json) -> str:
    """Return what was done to the images of a cell: `jpeg 70`."""
    if not cell["laundering"]:
        return "untouched"
    return f"{cell['laundering']} {cell['strength']:g}"
