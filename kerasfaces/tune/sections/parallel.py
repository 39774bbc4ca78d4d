"""Parallel coordinates: one line per trial through its values to its score."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from kerasfaces.metrics.main_effects import Value, short
from kerasfaces.report import chart, markup
from kerasfaces.report.markup import Section, tag
from kerasfaces.tune.report import StudyInput

ORDER = 50
_WIDTH, _HEIGHT = 860.0, 400.0
_MOST_NAMES = 8  # values named on an axis; more are numbers on a scale
Crossings = list[float]
Ticks = list[tuple[float, str]]
Axis = tuple[str, Crossings, Ticks]


def report(data: StudyInput) -> Section | None:
    """Return the picture; None where there is nothing to run along."""
    values = [trial.own_values for trial in data.completed]
    columns = [(name, [one.get(name) for one in values]) for name in data.names]
    axes = [(name, *_axis(own)) for name, own in columns if len(set(own)) > 1]
    if len(data.completed) < 2 or not axes:
        return None
    axes.append((data.objective, *_axis([trial.score for trial in data.completed])))
    note = markup.paragraph(
        "Each line is a trial. Where the coloured lines go through everything, that choice did "
        "not matter; where they meet, it did. ",
        chart.legend([("mark", "the best trial"), *data.colours]),
    )
    picture = tag("div", _picture(data, axes), class_="scroll wide", tabindex="0")
    return Section("All choices at once", note + picture)


def _axis(column: Sequence[Value | None]) -> tuple[Crossings, Ticks]:
    """Return where each trial crosses an axis, and what is written beside it."""
    order = list(dict.fromkeys(value for value in column if value is not None))
    if not any(isinstance(value, str) for value in order):
        order.sort()
        if len(order) > _MOST_NAMES:
            low, high = float(order[0]), float(order[-1])
            log = low > 0 and high / low > 30
            numbers = np.array(column, float)  # NaN for None
            scaled = np.log10(numbers) if log else numbers
            first, last = np.nanmin(scaled), np.nanmax(scaled)
            middle = 10 ** ((first + last) / 2) if log else (first + last) / 2
            ticks = zip((0.0, 0.5, 1.0), (low, middle, high), strict=True)
            crossings = ((scaled - first) / (last - first)).tolist()
            return crossings, [(place, f"{value:.3g}") for place, value in ticks]
    places = np.linspace(0, 1, len(order)).tolist() if len(order) > 1 else [0.5]
    where = dict(zip(order, places, strict=True))
    crossings = [np.nan if value is None else where[value] for value in column]
    return crossings, [(where[value], short(value)) for value in order]


def _picture(data: StudyInput, columns: Sequence[Axis]) -> Markup:
    last = len(columns) - 1
    axes = chart.axes(
        (0, last),
        (0, 1),
        size_px=(_WIDTH, _HEIGHT),
        margins_px=(62.0, 62.0, 44.0, 18.0),
    )
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    step_px = (_WIDTH - 124.0) / last
    for i in reversed(range(len(data.completed))):  # the best on top
        # A small shift, so that trials with the same values do not hide one another.
        x = np.arange(len(columns)) + (i * 7 % 9 - 4) * 0.7 / step_px
        y = [crossings[i] for _, crossings, _ in columns]
        chart.line(axes, x, y, data.line(data.completed[i]), clip=False)
    for at, (name, _, ticks) in enumerate(columns):
        chart.line(axes, [at, at], [0, 1], "zero", clip=False)
        chart.text(axes, at, 1, name, shift_px=(0, 26), align="center", weight="bold")
        for place, words in ticks:
            chart.text(
                axes,
                at,
                place,
                words,
                shift_px=(6 if at == last else -6, 0),
                align="left" if at == last else "right",
                colour=chart.COLOURS["ink"],
                on_page=True,
            )
    names = ", ".join(name for name, _, _ in columns)
    return chart.svg(axes, f"{len(data.completed)} trials by {names}")
