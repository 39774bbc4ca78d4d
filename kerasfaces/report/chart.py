"""Charts by Matplotlib: the same axes for a report, as inline SVG, and for a notebook.

Matplotlib rather than SVG by hand, because axes that users get (`result.plot_roc()`) can be
restyled only if they are Matplotlib's, and one way of drawing is enough.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from kerasfaces.core.texts import plain
from kerasfaces.report.markup import number, tag
from kerasfaces.report.svg import COLOURS as COLOURS
from kerasfaces.report.svg import svg as svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Interval = tuple[float, float]
Align = Literal["left", "center", "right"]
SERIES = {  # further lines of one chart
    "s0": COLOURS["fake"],
    "s1": COLOURS["real"],
    "s2": "#2f8f4e",
    "s3": "#8a4fbf",
    "s4": "#c2a100",
    "s5": "#d1477f",
    "s6": "#0e9aa0",
    "s7": "#7a7f86",
}
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 14.0, 14.0, 46.0  # pixels around the axes
_NAME = 26  # characters of a name that fit beside a line


class LineStyle(TypedDict, total=False):
    """Arguments of Matplotlib's `plot`."""

    color: str
    linewidth: float
    linestyle: Literal["-"] | tuple[float, tuple[float, float]]
    alpha: float
    markersize: float
    markerfacecolor: str
    markeredgecolor: str
    markeredgewidth: float


def style(kind: str) -> LineStyle:
    """Return how lines and dots of a kind are drawn.

    A kind is a colour (`fake`, `real`, `s0` .. `s7`) or a role (`mark`, `chance`, `zero`),
    with any of `thin`, `faint` and `open`.
    """
    name, *changes = sorted(kind.split(), key={"thin", "faint", "open"}.__contains__)
    dashed: dict[str, LineStyle] = {
        "mark": {"color": "ink", "linewidth": 1.6, "linestyle": (0, (5, 3))},
        "chance": {"color": "soft", "linewidth": 1.2, "linestyle": (0, (3, 4))},
        "zero": {"color": "soft", "linewidth": 1.0},
    }
    drawn: LineStyle = {"color": name, "linewidth": 2.2, **dashed.get(name, {})}
    drawn["color"] = colour = (COLOURS | SERIES)[drawn["color"]]
    if "thin" in changes:
        drawn["linewidth"] = 1.1
    if "faint" in changes:
        drawn["alpha"] = 0.45
    if "open" in changes:
        drawn |= {"markerfacecolor": COLOURS["page"], "markeredgewidth": 1.4}
        drawn["markeredgecolor"] = colour
    elif name == "mark":
        drawn |= {"markeredgecolor": COLOURS["page"], "markeredgewidth": 1.5}
    return drawn


def axes(
    x: Interval,
    y: Interval,
    *,
    x_label: str = "",
    y_label: str = "",
    log_x: bool = False,
    whole_x: bool = False,
    size_px: tuple[float, float] = (420.0, 340.0),
    margins_px: tuple[float, float, float, float] = (_LEFT, _RIGHT, _TOP, _BOTTOM),
) -> "Axes":
    """Return empty axes of a report's chart; `svg` finishes them.

    Args:
        x: Range of the horizontal axis.
        y: Range of the vertical axis.
        x_label: Its title.
        y_label: Its title.
        log_x: Logarithmic horizontal axis.
        whole_x: Horizontal values are whole numbers.
        size_px: Width and height of the drawing.
        margins_px: Left, right, top and bottom.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    (width, height), (left, right, top, bottom) = size_px, margins_px
    across, up = width - left - right, height - top - bottom
    area = left / width, bottom / height, across / width, up / height
    drawn = Figure(figsize=(width / 72, height / 72)).add_axes(area)
    if log_x:
        drawn.set_xscale("log")
        drawn.xaxis.set_major_formatter("{x:g}")
        drawn.minorticks_off()
    if whole_x:
        drawn.xaxis.set_major_locator(MaxNLocator(integer=True))
    wide = [(low, high if high != low else low + 1) for low, high in (x, y)]
    drawn.set(xlim=wide[0], ylim=wide[1], axisbelow=True)
    for side in drawn.spines.values():
        side.set_visible(False)
    drawn.grid(color=COLOURS["rule"], linewidth=1)
    drawn.tick_params(length=0, pad=6, labelsize=13, labelcolor=COLOURS["soft"])
    drawn.set_xlabel(plain(x_label), fontsize=13, color=COLOURS["ink"])
    drawn.set_ylabel(plain(y_label), fontsize=13, color=COLOURS["ink"])
    return drawn


def line(
    drawn: "Axes",
    x: ArrayLike,
    y: ArrayLike,
    kind: str,
    *,
    steps: bool = False,
    clip: bool = True,
    label: str = "",
) -> None:
    """Draw a line through the points, NaN left out; `steps` goes across, then up."""
    points = np.array([x, y], dtype=np.float64)
    xs, ys = points[:, np.isfinite(points).all(axis=0)]
    shape: Literal["steps-post", "default"] = "steps-post" if steps else "default"
    look = style(kind)
    drawn.plot(xs, ys, drawstyle=shape, clip_on=clip, label=label or "_", **look)


def point(
    drawn: "Axes",
    x: float,
    y: float,
    kind: str,
    x_limits: Interval | None = None,
    y_limits: Interval | None = None,
    label: str = "",
    radius_px: float = 4.5,
) -> None:
    """Draw a dot with its intervals and, on the side where there is room, a label.

    What lies beyond the axes, such as 0 on a logarithmic one, is drawn at their edge.
    """
    look = style(kind)
    left, right = drawn.get_xlim()
    low, high = sorted(drawn.get_ylim())
    x, y = float(np.clip(x, left, right)), float(np.clip(y, low, high))
    for xs, ys in ((x_limits, (y, y)), ((x, x), y_limits)):
        if xs and ys:
            inside = np.clip(xs, left, right), np.clip(ys, low, high)
            drawn.plot(*inside, color=look["color"], linewidth=1.8)
    dot = {**look, "linestyle": "none", "linewidth": 0.0, "markersize": 2 * radius_px}
    drawn.plot([x], [y], marker="o", clip_on=False, **dot)  # type: ignore[arg-type]
    if not label:
        return
    at_x, at_y = drawn.transAxes.inverted().transform(drawn.transData.transform((x, y)))
    drawn.annotate(
        label,
        (x, y),
        xytext=(9 if at_x < 0.5 else -9, -18 if at_y > 0.88 else 9),
        textcoords="offset points",
        ha="left" if at_x < 0.5 else "right",
        fontsize=13,
        fontweight="bold",
        color=COLOURS["ink"],
    )


def forest(
    lines: Sequence[tuple[str, float | None, float | None, float | None]],
    description: str,
    *,
    mark: float | None = None,
) -> Markup:
    """Return values with intervals, `(name, value, low, high)` each, up to 1; None is unknown.

    `mark` is where a dashed line is drawn (chance, no difference).
    """
    known = [limit for each in lines for limit in each[1:] if limit is not None]
    low = min(np.floor(min(known, default=0.0) * 10) / 10, 0.9)
    drawn = axes(
        (low, 1.0),
        (len(lines) - 0.5, -0.5),
        size_px=(560.0, 38 + 26.0 * len(lines)),
        margins_px=(190.0, 66.0, 30.0, 8.0),
    )
    drawn.xaxis.tick_top()
    drawn.grid(visible=False, axis="y")
    drawn.set_yticks(range(len(lines)), [shortened(each[0]) for each in lines])
    if mark is not None and low <= mark <= 1:
        line(drawn, [mark, mark], drawn.get_ylim(), "chance")
    for row, (_, value, lower, upper) in enumerate(lines):
        text(drawn, 1, row, number(value), shift_px=(12, 0))
        if value is not None:
            limits = None if lower is None or upper is None else (lower, upper)
            point(drawn, value, row, "fake", x_limits=limits)
    return svg(drawn, description)


def cell(
    drawn: "Axes",
    column: int,
    row: int,
    fill: str,
    *,
    alpha: float | None = None,
    name: str = "",
) -> None:
    """Fill the cell around whole coordinates; `name` is for the titles of `svg`."""
    from matplotlib.patches import Rectangle

    corner = column - 0.5, row - 0.5
    box = Rectangle(corner, 1, 1, facecolor=fill, alpha=alpha, linewidth=0)
    box.set_gid(name or None)
    drawn.add_patch(box)


def text(
    drawn: "Axes",
    x: float,
    y: float,
    words: str,
    *,
    shift_px: tuple[float, float] = (0.0, 0.0),
    align: Align = "left",
    colour: str = COLOURS["soft"],
    size_px: float = 13.0,
    weight: Literal["normal", "bold"] = "normal",
    turned: float = 0.0,
    on_page: bool = False,
) -> None:
    """Write at a point of the axes, moved right and up by pixels.

    `on_page` hides what is drawn behind the words.
    """
    box = {"facecolor": COLOURS["page"], "edgecolor": "none", "pad": 1.5}
    drawn.annotate(
        plain(words),
        (x, y),
        xytext=shift_px,
        textcoords="offset points",
        ha=align,
        va="center_baseline",
        annotation_clip=False,
        color=colour,
        fontsize=size_px,
        fontweight=weight,
        rotation=turned,
        rotation_mode="anchor",
        bbox=box if on_page else None,
    )


def shortened(name: str, length: int = _NAME) -> str:
    """Return a name that fits beside a line, printable."""
    shown = plain(name)
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def legend(entries: Sequence[tuple[str, str]]) -> Markup:
    """Return a line of colour keys: `(kind, name)` each."""
    keys = [
        tag("span", tag("i", class_=f"key {kind}"), name, class_="entry")
        for kind, name in entries
    ]
    return tag("span", *keys, class_="legend")


def strip(value: float, low: float, high: float, start: float = 0.0) -> Markup:
    """Return a value with its interval as a small strip from `start` to 1."""
    middle, left, right = (
        100 * (min(max(v, start), 1.0) - start) / (1 - start)
        for v in (value, low, high)
    )
    limits = tag("i", style=f"left:{left:.1f}%;width:{right - left:.1f}%")
    dot = tag("b", style=f"left:{middle:.1f}%")
    return tag("span", limits, dot, class_="strip", aria_hidden="true")
