"""Colours and frames of a table of AUCs as a picture: below .5 orange, above blue."""

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasfaces.core.texts import plain
from kerasfaces.report import chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCALE_W = 240.0  # pixels of `scale`
_LINE_PX = 15
_LOW, _MIDDLE, _HIGH = (184, 80, 12), (243, 241, 236), (12, 78, 130)


def colour(value: float) -> str:
    """Return the fill of an AUC, `#rrggbb`."""
    end, share = (_HIGH, 2 * value - 1) if value >= 0.5 else (_LOW, 1 - 2 * value)
    share = min(max(share, 0.0), 1.0) ** 1.5  # differences near 1 are what matters
    mixed = [round(m + (e - m) * share) for m, e in zip(_MIDDLE, end, strict=True)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def ink(fill: str) -> str:
    """Return the colour of words on a fill, the same on any page."""
    red, green, blue = (int(fill[i : i + 2], 16) for i in (1, 3, 5))
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 150
    return "#ffffff" if dark else "#1c2025"


def box(
    axes: "Axes",
    corner: tuple[float, float],
    size: tuple[float, float],
    edge: str,
    **more: Any,
) -> None:
    """Draw a frame with round corners; `more` are arguments of Matplotlib's patch."""
    from matplotlib.patches import FancyBboxPatch

    look = {"facecolor": "none", "linewidth": 1.0, "zorder": 1, **more}
    shape = "round,pad=0,rounding_size=3"
    axes.add_patch(FancyBboxPatch(corner, *size, shape, edgecolor=edge, **look))


def head(axes: "Axes", middle: float, bottom: float, name: str, room: int) -> None:
    """Write a column's name in at most three narrow lines, broken at `_`, `-`, `+`, space.

    A unit of `axes` is a pixel, the vertical axis points down: `bottom` is the last line's
    place, `room` the characters of a line.
    """
    pieces = re.sub(r"([_\-+ ])", "\\1\x00", plain(name)).split("\x00")
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1] + piece) > room:
            lines.append("")
        lines[-1] += piece
    lines = [*lines[:2], "…"] if len(lines) > 3 else lines
    for i, line in enumerate(reversed(lines)):
        words, place = chart.shortened(line, room), bottom - _LINE_PX * i
        chart.text(
            axes, middle, place, words, align="center", colour=chart.COLOURS["ink"]
        )


def scale(axes: "Axes", left: float, y: float) -> None:
    """Draw the colours with their values."""
    steps = 40
    width = SCALE_W / steps
    values = np.linspace(0, 1, steps)
    axes.bar(
        left + width * np.arange(steps),
        9,
        width,
        bottom=y,
        align="edge",
        color=[colour(float(value)) for value in values],
    )
    half = SCALE_W / 2
    chart.text(axes, left, y + 20, "0")
    chart.text(axes, left + half, y + 20, ".5 chance", align="center")
    chart.text(axes, left + 2 * half, y + 20, "1 AUC", align="right")
