"""Named points with intervals on a logarithmic axis; no name covers another, or a point."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from kerasfaces.report import chart

_LINE_PX = 16.0  # of a name
_WIDTH, _HEIGHT, _NAMES_PX = 900.0, 440.0, 210.0
_ABOVE, _BELOW = 14.0, 46.0


@dataclasses.dataclass(frozen=True)
class Point:
    """A point to draw.

    Attributes:
        name: Its label.
        x: Its place, more than 0.
        y: Its value.
        low: Lower limit of `y`.
        high: Upper limit of `y`.
        kind: `fake` or `real`, a colour.
    """

    name: str
    x: float
    y: float
    low: float
    high: float
    kind: str = "real"


def picture(
    points: Sequence[Point], x_label: str, y_label: str, description: str
) -> Markup:
    """Return the points, `y` from a little below the lowest limit to 1, names beside them.

    Args:
        points: At least one.
        x_label: What the horizontal axis shows.
        y_label: What the vertical axis shows.
        description: The picture in a sentence.
    """
    height = max(_HEIGHT, _LINE_PX * len(points) + _ABOVE + _BELOW)
    start = max(0.0, math.floor((min(p.low for p in points) - 0.01) * 20) / 20)
    ends = (min(p.x for p in points) / 1.4, max(p.x for p in points) * 1.4)
    axes = chart.axes(
        ends,
        (start, 1.0),
        x_label=f"{x_label}, logarithmic",
        y_label=y_label,
        log_x=True,
        size_px=(_WIDTH, height),
        margins_px=(58.0, _NAMES_PX, _ABOVE, _BELOW),
    )
    axes.set_xticks(round_values(*ends))
    inner = height - _ABOVE - _BELOW
    order = sorted(points, key=lambda point: -point.y)
    wanted = [(1 - p.y) / (1 - start) * inner for p in order]
    places = spread(wanted, _LINE_PX, inner)
    for each, place in zip(order, places, strict=True):
        y = 1 - place / inner * (1 - start)
        ends_x, ends_y = [each.x, ends[1]], [each.y, y]
        chart.line(axes, ends_x, ends_y, "zero thin faint", clip=False)
        limits = (each.low, each.high)
        chart.point(axes, each.x, each.y, each.kind, y_limits=limits)
        name = chart.shortened(each.name, 30)
        colour = chart.COLOURS["ink" if each.kind == "real" else each.kind]
        chart.text(axes, ends[1], y, name, shift_px=(6, 0), colour=colour)
    return chart.svg(axes, description)


def spread(wanted: Sequence[float], gap: float, end: float) -> list[float]:
    """Return places at least `gap` apart, near those wanted, between 0 and `end`.

    Args:
        wanted: In order.
        gap: At most `end / len(wanted)`.
        end: The last possible place.
    """
    steps = gap * np.arange(len(wanted))
    places = np.maximum.accumulate(np.asarray(wanted) - steps)  # pushed down
    room = end - gap * (len(wanted) - 1)
    shown: list[float] = (np.clip(places, 0, room) + steps).tolist()
    return shown


def round_values(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten from `low` to `high`; of a wide range 1 only."""
    first, last = math.log10(low), math.log10(high)
    factors = (1, 2, 5) if last - first < 3 else (1,)
    powers = range(math.floor(first), math.ceil(last) + 1)
    values = [factor * 10.0**power for power in powers for factor in factors]
    return [value for value in values if low * 0.999 <= value <= high * 1.001]
