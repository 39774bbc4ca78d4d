"""What a score cost: seconds of training against score, and who is worth it."""

from typing import Any

import numpy as np
from markupsafe import Markup

from kerasfaces.report import chart, markup
from kerasfaces.report.chart import legend
from kerasfaces.report.markup import Section
from kerasfaces.tune.report_input import StudyInput
from kerasfaces.tune.sections.effects import span

ORDER = 70


def report(data: StudyInput) -> Section | None:
    """Return the picture and where the seconds went; None without trials."""
    if not data.completed:
        return None
    trained = [_trained_s(trial) for trial in data.completed]
    everything = sum(trial.seconds for trial in [*data.completed, *data.failed])
    told = markup.paragraph(
        f"{_time(everything)} in all trials together: {_time(sum(trained))} trained heads, the "
        "rest was spent on images and frozen features, once for all trials that share them. "
        "The picture shows a trial's own training, all seeds."
    )
    keys = legend(
        [
            *data.colours,
            ("mark", "no cheaper trial scored better"),
        ]
    )
    figure = markup.row(markup.figure(_picture(data, trained), "Cost against score"))
    return Section("Cost", Markup("").join([told, markup.paragraph(keys), figure]))


def _picture(data: StudyInput, trained: list[float]) -> Markup:
    seconds = np.maximum(trained, 1e-3)
    scores = np.array([trial.score for trial in data.completed])
    low, high = float(seconds.min()), float(seconds.max())
    log = high / low > 20
    x = (
        (10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high)))
        if log
        else (0, high * 1.06)
    )
    axes = chart.axes(
        (float(x[0]), float(x[1])),
        span(scores),
        x_label="seconds of training" + (", logarithmic" if log else ""),
        y_label=data.objective.replace("_", " "),
        log_x=log,
    )
    front = _front(seconds, scores, data.more_is_better)
    chart.line(axes, seconds[front], scores[front], "mark", steps=True)
    for i in reversed(range(len(scores))):
        kind = f"faint {data.kind(data.completed[i])}"
        chart.point(axes, float(seconds[i]), float(scores[i]), kind, radius_px=3.6)
    about = f"seconds of training against {data.objective}, {len(scores)} trials"
    return chart.svg(axes, about)


def _front(seconds: Any, scores: Any, more: bool) -> list[int]:
    """Return the trials that no cheaper one beats, cheapest first."""
    found: list[int] = []
    sign = 1 if more else -1
    for i in np.lexsort((-sign * scores, seconds)):
        if not found or sign * scores[i] > sign * scores[found[-1]]:
            found.append(int(i))
    return found


def _trained_s(trial: Any) -> float:
    return float(sum(one["seconds"] for one in trial.repeats))


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return (
        f"{seconds / 60:.0f} minutes"
        if seconds < 7200
        else f"{seconds / 3600:.1f} hours"
    )
