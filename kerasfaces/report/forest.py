"""Values with intervals, one line each, as inline SVG that follows the page's colours."""

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from kerasfaces.report.markup import number, tag

_WIDTH, _LINE, _LEFT, _RIGHT, _TOP = 560.0, 26.0, 190.0, 66.0, 30.0
_NAME = 26  # characters that fit


def forest(
    lines: Sequence[tuple[str, float | None, float | None, float | None]],
    description: str,
    start: float | None = None,
    mark: float | None = None,
) -> Markup:
    """Return the picture.

    Args:
        lines: `(name, value, low, high)`; None where unknown.
        description: The picture in a sentence.
        start: Left end of the axis; by default the lowest limit, rounded down to a tenth.
        mark: Where to draw a dashed line (chance, no difference).
    """
    known = [limit for line in lines for limit in line[1:] if limit is not None]
    low = math.floor(min(known, default=0.0) * 10) / 10 if start is None else start
    low, high = min(low, 0.9), 1.0
    bottom = _TOP + _LINE * len(lines)

    def x(value: float) -> float:
        share = (value - low) / ((high - low) or 1.0)
        return _LEFT + min(max(share, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)

    step = next((s for s in (0.02, 0.05, 0.1) if (high - low) / s <= 6.5), 0.2)
    ticks = [high - step * k for k in range(int((high - low) / step + 1e-9) + 1)]
    parts = [_tick(value, x, bottom) for value in ticks]
    if mark is not None and low <= mark <= high:
        points = f"{x(mark):.1f},{_TOP} {x(mark):.1f},{bottom}"
        parts.append(tag("polyline", points=points, class_="line chance"))
    for index, (name, value, lower, upper) in enumerate(lines):
        y = _TOP + _LINE * (index + 0.5)
        shown = name if len(name) <= _NAME else name[: _NAME - 1] + "…"
        parts.append(
            tag("text", shown, x=_LEFT - 10, y=f"{y + 4:.1f}", text_anchor="end")
        )
        parts.append(
            tag("text", number(value), x=_WIDTH - _RIGHT + 12, y=f"{y + 4:.1f}")
        )
        if value is None:
            continue
        if lower is not None and upper is not None:
            points = f"{x(lower):.1f},{y:.1f} {x(upper):.1f},{y:.1f}"
            parts.append(tag("polyline", points=points, class_="whisker fake"))
        parts.append(
            tag(
                "circle",
                cx=f"{x(value):.1f}",
                cy=f"{y:.1f}",
                r="4.5",
                class_="dot fake",
            )
        )
    return tag(
        "svg",
        tag("title", description),
        *parts,
        viewBox=f"0 0 {_WIDTH:g} {bottom + 8:g}",
        role="img",
        aria_label=description,
    )


def _tick(value: float, x: Callable[[float], float], bottom: float) -> Markup:
    at = f"{x(value):.1f}"
    line = tag("line", x1=at, x2=at, y1=_TOP, y2=f"{bottom:.1f}", class_="grid")
    return line + tag("text", f"{value:.2f}", x=at, y=_TOP - 10, text_anchor="middle")
