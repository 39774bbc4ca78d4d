"""Parallel coordinates: one line per trial through its values to its score."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from kerasfaces.report import markup
from kerasfaces.report.chart import legend
from kerasfaces.report.markup import Section, tag
from kerasfaces.tune.effects import UNUSED, short
from kerasfaces.tune.report_input import StudyInput

ORDER = 50
_WIDTH, _HEIGHT = 860.0, 400.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 62.0, 44.0, 18.0
_MOST_NAMES = 8  # values named on an axis; more are numbers on a scale


def report(data: StudyInput) -> Section | None:
    """Return the picture; None where there is nothing to run along."""
    values = [trial.own_values for trial in data.completed]
    names = [
        name
        for name in data.names
        if len({str(one.get(name, UNUSED)) for one in values}) > 1
    ]
    if len(data.completed) < 2 or not names:
        return None
    columns = [_Axis(name, [one.get(name) for one in values]) for name in names]
    columns.append(_Axis(data.objective, [trial.score for trial in data.completed]))
    keys = legend([("mark", "the best trial"), *data.colours])
    note = markup.paragraph(
        "Each line is a trial. Where the coloured lines go through everything, that choice did "
        "not matter; where they meet, it did. ",
        keys,
    )
    picture = tag("div", _picture(data, columns), class_="scroll wide", tabindex="0")
    return Section("All choices at once", note + picture)


class _Axis:
    """One vertical axis: where each trial crosses it, and what is written beside it."""

    def __init__(self, name: str, column: Sequence[Any]) -> None:
        self.name = name
        known = [value for value in column if value is not None]
        distinct = list(dict.fromkeys(known))
        numeric = all(isinstance(value, int | float) for value in known)
        if numeric and len(distinct) > _MOST_NAMES:
            low, high = float(min(known)), float(max(known))
            log = low > 0 and high / low > 30
            scale = (lambda v: float(np.log10(v))) if log else float
            first, last = scale(low), scale(high)
            self.at = [
                None if v is None else (scale(v) - first) / ((last - first) or 1.0)
                for v in column
            ]
            middle = 10 ** ((first + last) / 2) if log else (first + last) / 2
            self.ticks = [
                (0.0, _number(low)),
                (0.5, _number(middle)),
                (1.0, _number(high)),
            ]
        else:
            order = sorted(distinct) if numeric else distinct
            places = np.linspace(0, 1, len(order)) if len(order) > 1 else [0.5]
            where = dict(zip(order, map(float, places), strict=True))
            self.at = [None if v is None else where[v] for v in column]
            self.ticks = [(where[v], short(v)) for v in order]


def _picture(data: StudyInput, axes: Sequence[_Axis]) -> Markup:
    step = (_WIDTH - _LEFT - _RIGHT) / (len(axes) - 1)
    across = [_LEFT + step * i for i in range(len(axes))]
    parts = []
    for i in reversed(range(len(data.completed))):  # the best on top
        trial = data.completed[i]
        points = " ".join(
            f"{x + _spread(i):.1f},{_y(axis.at[i]):.1f}"
            for x, axis in zip(across, axes, strict=True)
            if axis.at[i] is not None
        )
        parts.append(tag("polyline", points=points, class_=f"line {data.line(trial)}"))
    for x, axis in zip(across, axes, strict=True):
        parts += _drawn(x, axis, last=axis is axes[-1])
    description = (
        f"{len(data.completed)} trials by {', '.join(axis.name for axis in axes)}"
    )
    return tag(
        "svg",
        tag("title", description),
        *parts,
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
        aria_label=description,
    )


def _drawn(x: float, axis: _Axis, last: bool) -> list[Markup]:
    found = [
        tag(
            "line",
            x1=f"{x:.1f}",
            x2=f"{x:.1f}",
            y1=_y(0.0),
            y2=_y(1.0),
            class_="axisline",
        )
    ]
    found.append(
        tag(
            "text",
            axis.name,
            x=f"{x:.1f}",
            y="18",
            text_anchor="middle",
            class_="label",
        )
    )
    for place, text in axis.ticks:
        found.append(
            tag(
                "text",
                text,
                x=f"{x + (6 if last else -6):.1f}",
                y=f"{_y(place) + 4:.1f}",
                text_anchor="start" if last else "end",
                class_="label plain",
            )
        )
    return found


def _spread(i: int) -> float:
    """Return a small shift, so that trials with the same values do not hide one another."""
    return (i * 7 % 9 - 4) * 0.7


def _y(place: float | None) -> float:
    return _HEIGHT - _BOTTOM - (place or 0.0) * (_HEIGHT - _TOP - _BOTTOM)


def _number(value: float) -> str:
    return f"{value:.3g}"
