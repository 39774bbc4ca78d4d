"""Parallel coordinates: one line per trial through its values to its score."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from kerasfaces.metrics.main_effects import UNUSED, Value, short
from kerasfaces.report import chart, markup
from kerasfaces.report.markup import Section, tag
from kerasfaces.tune.report import StudyInput

ORDER = 50
_WIDTH, _HEIGHT = 860.0, 400.0
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
    note = markup.paragraph(
        "Each line is a trial. Where the coloured lines go through everything, that choice did "
        "not matter; where they meet, it did. ",
        chart.legend([("mark", "the best trial"), *data.colours]),
    )
    picture = tag("div", _picture(data, columns), class_="scroll wide", tabindex="0")
    return Section("All choices at once", note + picture)


class _Axis:
    """One vertical axis: where each trial crosses it, and what is written beside it."""

    def __init__(self, name: str, column: Sequence[Value | None]) -> None:
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
                np.nan if v is None else (scale(v) - first) / ((last - first) or 1.0)
                for v in column
            ]
            middle = 10 ** ((first + last) / 2) if log else (first + last) / 2
            numbers = [f"{value:.3g}" for value in (low, middle, high)]
            self.ticks = list(zip((0.0, 0.5, 1.0), numbers, strict=True))
        else:
            order = sorted(distinct) if numeric else distinct
            places = np.linspace(0, 1, len(order)) if len(order) > 1 else [0.5]
            where = dict(zip(order, map(float, places), strict=True))
            self.at = [np.nan if v is None else where[v] for v in column]
            self.ticks = [(where[v], short(v)) for v in order]


def _picture(data: StudyInput, columns: Sequence[_Axis]) -> Markup:
    axes = chart.axes(
        (0, len(columns) - 1),
        (0, 1),
        size_px=(_WIDTH, _HEIGHT),
        margins_px=(62.0, 62.0, 44.0, 18.0),
    )
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    step_px = (_WIDTH - 124.0) / (len(columns) - 1)
    for i in reversed(range(len(data.completed))):  # the best on top
        # A small shift, so that trials with the same values do not hide one another.
        shift = (i * 7 % 9 - 4) * 0.7 / step_px
        x, y = np.arange(len(columns)) + shift, [column.at[i] for column in columns]
        chart.line(axes, x, y, data.line(data.completed[i]), clip=False)
    for at, column in enumerate(columns):
        chart.line(axes, [at, at], [0, 1], "zero", clip=False)
        chart.text(
            axes, at, 1, column.name, shift_px=(0, 26), align="center", weight="bold"
        )
        is_last = column is columns[-1]
        for place, words in column.ticks:
            chart.text(
                axes,
                at,
                place,
                words,
                shift_px=(6 if is_last else -6, 0),
                align="left" if is_last else "right",
                colour=chart.COLOURS["ink"],
            )
    names = ", ".join(column.name for column in columns)
    return chart.svg(axes, f"{len(data.completed)} trials by {names}")
