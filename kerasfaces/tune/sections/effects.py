"""What mattered: every trial by each hyperparameter's value, and the values' means."""

import math

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from kerasfaces.core import rng
from kerasfaces.metrics import main_effects as effects
from kerasfaces.metrics.main_effects import Effect
from kerasfaces.report import chart, markup
from kerasfaces.report.markup import Section, estimate, p_text
from kerasfaces.tune.report import StudyInput

ORDER = 40
_LETTERS = 48  # of 13 px beside one another under a chart


def report(data: StudyInput) -> Section | None:
    """Return a table of main effects and a slice plot per hyperparameter."""
    title = "What mattered"
    if not data.completed:
        return None
    values = [trial.own_values for trial in data.completed]
    scores = [float(trial.score or 0.0) for trial in data.completed]
    measured = effects.main_effects(values, scores)
    if not measured:
        text = "All trials have the same hyperparameters, so nothing can be compared."
        return Section(title, markup.paragraph(text))
    note = (
        "The share of the variance is what the values' means explain beyond chance (epsilon "
        "squared); p is a permutation test, Holm-corrected. Intervals are a bootstrap over "
        "trials, everything else in them as it came."
    )
    if data.settings["oracle"] in ("bayesian", "hyperband"):
        note += (
            " This search went where it hoped most, so values it liked were tried with other "
            "good values: the effects look larger than they are."
        )
    mean = ("mark", "mean of the trials with that value, 95 % interval")
    means = [
        [f"{effect.name} = {each.label}", str(each.n), estimate(each.mean.to_dict())]
        for effect in measured
        for each in effect.levels
    ]
    caption = f"Mean {data.objective} of the trials with each value"
    parts = [
        markup.paragraph(note),
        _table(data, measured),
        markup.paragraph(chart.legend([*data.colours, mean])),
        markup.row(*(_slice(data, effect) for effect in measured)),
        markup.details(
            "Every mean", markup.table(caption, ["Value", "trials", "mean"], means)
        ),
    ]
    return Section(title, Markup("").join(parts))


def _table(data: StudyInput, measured: list[Effect]) -> Markup:
    rows = []
    for effect in measured:
        rows.append(
            [effect.name, f"{100 * effect.share:.0f} %", p_text(effect.p_value)]
        )
        for pick in (max, min):
            level = pick(effect.levels, key=lambda each: data.sign * each.mean.value)
            rows[-1] += [level.label, estimate(level.mean.to_dict())]
    header = ["Hyperparameter", "share of variance", "p", "best value", "mean"]
    return markup.table(
        f"Main effects on {data.objective}", [*header, "worst value", "mean"], rows
    )


def _slice(data: StudyInput, effect: Effect) -> Markup:
    """Draw every trial, and each value's mean, against one hyperparameter."""
    column = [trial.own_values.get(effect.name) for trial in data.completed]
    labels, order = effects.levels_of(column)
    scores = np.array([trial.score for trial in data.completed])
    axes = chart.axes(
        (-0.5, len(order) - 0.5),
        span(scores),
        x_label=effect.name,
        y_label=data.objective.replace("_", " "),
    )
    names = [name.replace(" to ", "\N{EN DASH}") for name in order]
    letters = _LETTERS // len(order)
    axes.set_xticks(range(len(order)), [chart.shortened(n, letters) for n in names])
    jitter = rng.generator(0, "slice", effect.name).uniform(-0.24, 0.02, len(column))
    for i in reversed(range(len(column))):
        x, kind = order.index(labels[i]) + jitter[i], data.kind(data.completed[i])
        chart.point(axes, x, scores[i], f"faint {kind}", radius_px=3.4)
    for k, level in enumerate(effect.levels):
        mean = level.mean
        limits = (mean.low, mean.high) if math.isfinite(mean.low) else None
        chart.point(axes, k + 0.2, mean.value, "mark", y_limits=limits)
    text = f"{effect.name}: {100 * effect.share:.0f} % of the variance, p {p_text(effect.p_value)}"
    about = f"{data.objective} of {len(column)} trials by {effect.name}"
    return markup.figure(chart.svg(axes, about), text)


def span(values: ArrayLike) -> tuple[float, float]:
    """Return the range of an axis that shows all values, with a margin."""
    low, high = float(np.min(values)), float(np.max(values))
    margin = 0.06 * (high - low) or 0.01
    return low - margin, high + margin
