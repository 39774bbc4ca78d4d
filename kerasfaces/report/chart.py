"""Small line and bar charts as inline SVG that follow the page's colours.

Drawn by hand rather than by a plotting library: they weigh kilobytes, scale to a phone,
turn dark with the page, and their text stays text.
"""

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from kerasfaces.report.markup import tag

_NEAR_PX = 0.4
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 14.0, 14.0, 46.0


class Chart:
    """Axes to draw on, in data coordinates.

    Args:
        x: Range of the horizontal axis.
        y: Range of the vertical axis.
        x_label: What it shows.
        y_label: What it shows.
        description: The chart in a sentence, for those who cannot see it.
        log_x: Logarithmic horizontal axis.
        signless_y: Label the vertical axis without signs (a mirrored histogram).
        x_names: What stands at 0, 1, 2 ... of a horizontal axis that is no number.
    """

    width, height = 420.0, 340.0  # pixels of the drawing

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        x_label: str,
        y_label: str,
        description: str,
        log_x: bool = False,
        signless_y: bool = False,
        x_names: Sequence[str] = (),
    ) -> None:
        self.x_names = x_names
        self.x, self.y, self.log_x, self.signless_y = x, y, log_x, signless_y
        self.labels, self.description = (x_label, y_label), description
        self.parts: list[Markup] = []

    def line(
        self, x: ArrayLike, y: ArrayLike, kind: str, steps: bool = False
    ) -> "Chart":
        """Draw a line through the points, NaN left out; `steps` goes across, then up."""
        xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        known = np.isfinite(xs) & np.isfinite(ys)
        xs, ys = xs[known], ys[known]
        if steps and xs.size:
            xs, ys = np.repeat(xs, 2)[1:], np.repeat(ys, 2)[:-1]
        points = " ".join(
            _thinned([(self._x(a), self._y(b)) for a, b in zip(xs, ys, strict=True)])
        )
        self.parts.append(tag("polyline", points=points, class_=f"line {kind}"))
        return self

    def bars(
        self, edges: ArrayLike, heights: ArrayLike, kind: str, base: float = 0.0
    ) -> "Chart":
        """Draw bars between successive edges, from `base` to each height."""
        limits = np.asarray(edges, dtype=np.float64)
        for left, right, top in zip(
            limits[:-1], limits[1:], np.asarray(heights), strict=True
        ):
            if top != base:
                self.area((left, right), (base, float(top)), f"bar {kind}")
        return self

    def area(
        self, x: tuple[float, float], y: tuple[float, float], kind: str
    ) -> "Chart":
        """Draw a filled rectangle."""
        x0, x1 = sorted(self._x(value) for value in x)
        y0, y1 = sorted(self._y(value) for value in y)
        self.parts.append(
            tag(
                "rect",
                x=f"{x0:.1f}",
                y=f"{y0:.1f}",
                width=f"{x1 - x0:.1f}",
                height=f"{y1 - y0:.1f}",
                class_=kind,
            )
        )
        return self

    def point(
        self,
        x: float,
        y: float,
        kind: str,
        x_limits: tuple[float, float] | None = None,
        y_limits: tuple[float, float] | None = None,
        label: str = "",
        radius_px: float = 4.5,
    ) -> "Chart":
        """Draw a dot with its intervals and, beside it, a label."""
        for limits, across in ((x_limits, True), (y_limits, False)):
            if limits:
                ends = [(v, y) if across else (x, v) for v in limits]
                points = " ".join(self._at(*end) for end in ends)
                self.parts.append(
                    tag("polyline", points=points, class_=f"whisker {kind}")
                )
        cx, cy = self._x(x), self._y(y)
        self.parts.append(
            tag(
                "circle",
                cx=f"{cx:.1f}",
                cy=f"{cy:.1f}",
                r=f"{radius_px:g}",
                class_=f"dot {kind}",
            )
        )
        return self.text(cx, cy, label) if label else self

    def text(self, x_px: float, y_px: float, text: str) -> "Chart":
        """Write beside a point, on the side where there is room."""
        right = x_px < self.width * 0.55
        below = y_px < _TOP + 40
        self.parts.append(
            tag(
                "text",
                text,
                x=f"{x_px + (9 if right else -9):.1f}",
                y=f"{y_px + (18 if below else -9):.1f}",
                text_anchor="start" if right else "end",
                class_="label",
            )
        )
        return self

    def svg(self) -> Markup:
        """Return the finished chart."""
        return tag(
            "svg",
            tag("title", self.description),
            *self._axes(),
            *self.parts,
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            role="img",
            aria_label=self.description,
        )

    def _axes(self) -> list[Markup]:
        bottom, right = self.height - _BOTTOM, self.width - _RIGHT
        found = []
        for value in self._x_ticks():
            x = f"{self._x(value):.1f}"
            found.append(tag("line", x1=x, x2=x, y1=_TOP, y2=bottom, class_="grid"))
            text = self.x_names[int(value)] if self.x_names else _tick(value)
            found.append(tag("text", text, x=x, y=bottom + 17, text_anchor="middle"))
        for value in _ticks(*self.y):
            y = self._y(value)
            found.append(
                tag(
                    "line",
                    x1=_LEFT,
                    x2=right,
                    y1=f"{y:.1f}",
                    y2=f"{y:.1f}",
                    class_="grid",
                )
            )
            text = _tick(abs(value) if self.signless_y else value)
            found.append(
                tag("text", text, x=_LEFT - 7, y=f"{y + 4:.1f}", text_anchor="end")
            )
        middle_x, middle_y = (_LEFT + right) / 2, (_TOP + bottom) / 2
        x_label, y_label = self.labels
        found.append(
            tag(
                "text",
                x_label,
                x=middle_x,
                y=self.height - 8,
                text_anchor="middle",
                class_="axis",
            )
        )
        turned = f"translate(13 {middle_y:g}) rotate(-90)"
        found.append(
            tag("text", y_label, transform=turned, text_anchor="middle", class_="axis")
        )
        return found

    def _x_ticks(self) -> list[float]:
        if self.x_names:
            return [float(i) for i in range(len(self.x_names))]
        if not self.log_x:
            return _ticks(*self.x)
        first, last = (math.log10(value) for value in self.x)
        return [
            10.0**power
            for power in range(math.ceil(first - 1e-9), math.floor(last) + 1)
        ]

    def _x(self, value: float) -> float:
        low, high = self.x
        if self.log_x:
            low, high, value = (
                math.log10(low),
                math.log10(high),
                math.log10(max(value, low)),
            )
        share = (value - low) / ((high - low) or 1.0)
        return _LEFT + min(max(share, 0.0), 1.0) * (self.width - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        low, high = self.y
        share = (value - low) / ((high - low) or 1.0)
        return (
            self.height
            - _BOTTOM
            - min(max(share, 0.0), 1.0) * (self.height - _TOP - _BOTTOM)
        )

    def _at(self, x: float, y: float) -> str:
        return f"{self._x(x):.1f},{self._y(y):.1f}"


def legend(entries: Sequence[tuple[str, str]]) -> Markup:
    """Return a line of colour keys: `(kind, name)` each."""
    keys = [
        tag("span", tag("i", class_=f"key {kind}"), name, class_="entry")
        for kind, name in entries
    ]
    return tag("span", *keys, class_="legend")


def strip(value: float, low: float, high: float, start: float = 0.0) -> Markup:
    """Return a value with its interval as a small strip from `start` to 1."""
    at = [
        4 + 92 * (min(max(v, start), 1.0) - start) / (1 - start)
        for v in (value, low, high)
    ]
    return tag(
        "svg",
        tag("line", x1="4", x2="96", y1="8", y2="8", class_="grid"),
        tag(
            "line",
            x1=f"{at[1]:.1f}",
            x2=f"{at[2]:.1f}",
            y1="8",
            y2="8",
            class_="whisker fake",
        ),
        tag("circle", cx=f"{at[0]:.1f}", cy="8", r="3.5", class_="dot fake"),
        viewBox="0 0 100 16",
        class_="strip",
        aria_hidden="true",
    )


def _ticks(low: float, high: float) -> list[float]:
    """Return 3 to 7 round values from `low` to `high`."""
    span = (high - low) or 1.0
    step = 10.0 ** math.floor(math.log10(span / 4))
    step *= next((factor for factor in (1, 2, 5) if span / (step * factor) <= 6), 10)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def _tick(value: float) -> str:
    return f"{value:.6g}" if abs(value) < 10_000 else f"{value / 1000:g}k"


def _thinned(points: list[tuple[float, float]]) -> list[str]:
    """Return points in pixels, without those nobody could see: a line stays a line.

    Left out are points within a fraction of a pixel of the one before, and the middle of
    runs along an axis.
    """
    kept: list[tuple[float, float]] = []
    for index, (x, y) in enumerate(points):
        if kept and index < len(points) - 1:
            last_x, last_y = kept[-1]
            if max(abs(x - last_x), abs(y - last_y)) < _NEAR_PX:
                continue
        if len(kept) > 1:
            (ax, ay), (bx, by) = kept[-2:]
            if ax == bx == x or ay == by == y:
                kept.pop()
        kept.append((x, y))
    return [f"{x:.1f},{y:.1f}" for x, y in kept]
