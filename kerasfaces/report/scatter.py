"""Named points with intervals on a logarithmic axis; no name covers another, or a point."""

import dataclasses
import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from kerasfaces.report.chart import Chart
from kerasfaces.report.markup import tag

_LETTER_PX, _LINE_PX = 7.3, 15.0  # of the label's font
_DOT_PX, _GAP_PX = 5.5, 8.0
_LEADER_PX = 26.0  # farther from its point a name gets a line to it


@dataclasses.dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "Box") -> float:
        """Return the area both cover, square pixels."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)


@dataclasses.dataclass(frozen=True)
class Point:
    """A point to draw.

    Attributes:
        name: Its label.
        x: Its place.
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


class Scatter(Chart):
    """A wide chart whose horizontal axis has ticks at 1, 2 and 5 times powers of ten."""

    width, height = 760.0, 440.0

    def points(self, points: Sequence[Point]) -> "Scatter":
        """Draw points and place their names, those with most neighbours first."""
        for each in points:
            limits = (each.low, each.high)
            self.point(each.x, each.y, each.kind, y_limits=limits)
        taken = [box for each in points for box in self._covered(each)]
        crowded = sorted(points, key=lambda p: -self._neighbours(p, points))
        for each in crowded:
            box = self._place(each, taken)
            taken.append(box)
            self._name(each, box)
        return self

    def _covered(self, point: Point) -> Iterator[Box]:
        """Yield what a point and its interval cover."""
        x, y = self._x(point.x), self._y(point.y)
        yield Box(x - _DOT_PX, y - _DOT_PX, x + _DOT_PX, y + _DOT_PX)
        yield Box(x - 1.5, self._y(point.high), x + 1.5, self._y(point.low))

    def _neighbours(self, point: Point, points: Sequence[Point]) -> int:
        x, y = self._x(point.x), self._y(point.y)
        return sum(
            abs(self._x(p.x) - x) < 90 and abs(self._y(p.y) - y) < 30 for p in points
        )

    def _place(self, point: Point, taken: Sequence[Box]) -> Box:
        """Return the nearest place for a name that covers nothing, or the least."""
        best, least = None, math.inf
        for box in self._candidates(point):
            covered = sum(box.overlap(other) for other in taken) + self._outside(box)
            if covered < least:
                best, least = box, covered
            if covered == 0:
                break
        assert best is not None  # noqa: S101 - there are always candidates
        return best

    def _candidates(self, point: Point) -> Iterator[Box]:
        x, y = self._x(point.x), self._y(point.y)
        width = _LETTER_PX * len(point.name)
        for away in (0.0, 12.0, 24.0, 36.0, 50.0, 66.0, 84.0, 104.0):
            for down in dict.fromkeys((0.0, -away, away, -away / 2, away / 2)):
                for left in (x + _GAP_PX + away / 3, x - _GAP_PX - away / 3 - width):
                    middle = y + down
                    yield Box(
                        left,
                        middle - _LINE_PX / 2,
                        left + width,
                        middle + _LINE_PX / 2,
                    )

    def _outside(self, box: Box) -> float:
        """Return the area of a box beyond the axes."""
        low, high = self._x(self.x[0]), self._x(self.x[1])
        top, bottom = self._y(self.y[1]), self._y(self.y[0])
        inside = Box(low + 2, top, high + 10, bottom - 2)
        area = (box.right - box.left) * (box.bottom - box.top)
        return area - box.overlap(inside)

    def _name(self, point: Point, box: Box) -> None:
        x, y = self._x(point.x), self._y(point.y)
        right = box.left > x
        middle = (box.top + box.bottom) / 2
        near = box.left - 2 if right else box.right + 2
        if math.hypot(near - x, middle - y) > _LEADER_PX:
            ends = f"{x:.1f},{y:.1f} {near:.1f},{middle:.1f}"
            self.parts.append(tag("polyline", points=ends, class_="line zero thin"))
        self.parts.append(
            tag(
                "text",
                point.name,
                x=f"{box.left if right else box.right:.1f}",
                y=f"{middle + 4.5:.1f}",
                text_anchor="start" if right else "end",
                class_="label plain",
            )
        )

    def _x_ticks(self) -> list[float]:
        if not self.log_x:
            return super()._x_ticks()
        first, last = (math.log10(value) for value in self.x)
        steps = (1, 2, 5) if last - first < 3 else (1,)
        powers = range(math.floor(first), math.ceil(last) + 1)
        found = [step * 10.0**power for power in powers for step in steps]
        return [
            each for each in found if self.x[0] * 0.999 <= each <= self.x[1] * 1.001
        ]


def log_range(values: Sequence[float]) -> tuple[float, float]:
    """Return an axis that holds positive values with room at both ends."""
    low, high = min(values), max(values)
    return low / 1.4, high * 1.4


def picture(
    points: Sequence[Point], x_label: str, y_label: str, description: str
) -> Markup:
    """Return points on a logarithmic axis, `y` from a little below the lowest limit to 1.

    Args:
        points: At least one; `x` more than 0.
        x_label: What the horizontal axis shows.
        y_label: What the vertical axis shows.
        description: The picture in a sentence.
    """
    lowest = min(each.low for each in points)
    start = max(0.0, math.floor((lowest - 0.01) * 20) / 20)
    chart = Scatter(
        log_range([each.x for each in points]),
        (start, 1.0),
        x_label=f"{x_label}, logarithmic",
        y_label=y_label,
        description=description,
        log_x=True,
    )
    return chart.points(points).svg()
