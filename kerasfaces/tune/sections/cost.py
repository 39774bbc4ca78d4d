"""What a score cost: seconds of training against score, and who is worth it."""

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from kerasfaces.report import chart, markup
from kerasfaces.report.markup import Section
from kerasfaces.tune.report import StudyInput
from kerasfaces.tune.sections.effects import span

ORDER = 70


def report(data: StudyInput) -> Section | None:
    """Return the picture and where the seconds went; None without trials."""
    if not data.completed:
        return None
    trained_s = [
        float(sum(one["seconds"] for one in trial.repeats)) for trial in data.completed
    ]
    all_s = sum(trial.seconds for trial in [*data.completed, *data.failed])
    note = markup.paragraph(
        f"{_time(all_s)} in all trials together: {_time(sum(trained_s))} trained heads, the "
        "rest was spent on images and frozen features, once for all trials that share them. "
        "The picture shows a trial's own training, all seeds."
    )
    keys = chart.legend([*data.colours, ("mark", "no cheaper trial scored better")])
    picture = markup.figure(_picture(data, trained_s), "Cost against score")
    return Section("Cost", note + markup.paragraph(keys) + markup.row(picture))


def _picture(data: StudyInput, trained_s: list[float]) -> Markup:
    seconds = np.maximum(trained_s, 1e-3)
    scores = np.array([trial.score for trial in data.completed])
    low, high = float(seconds.min()), float(seconds.max())
    log, x_range = high / low > 20, (0.0, high * 1.06)
    if log:
        x_range = 10.0 ** np.floor(np.log10(low)), 10.0 ** np.ceil(np.log10(high))
    axes = chart.axes(
        x_range,
        span(scores),
        x_label="seconds of training" + ", logarithmic" * log,
        y_label=data.objective.replace("_", " "),
        log_x=log,
    )
    front = _front(seconds, data.sign * scores)
    chart.line(axes, seconds[front], scores[front], "mark", steps=True)
    for trial, x, y in reversed([*zip(data.completed, seconds, scores, strict=True)]):
        chart.point(axes, x, y, f"faint {data.kind(trial)}", radius_px=3.6)
    about = f"seconds of training against {data.objective}, {len(scores)} trials"
    return chart.svg(axes, about)


def _front(seconds: NDArray[np.float64], scores: NDArray[np.float64]) -> list[int]:
    """Return the trials that no cheaper one beats, cheapest first; more is better."""
    by_cost = np.lexsort((-scores, seconds))
    best = np.maximum.accumulate(scores[by_cost])
    front: list[int] = by_cost[np.r_[True, best[1:] > best[:-1]]].tolist()
    return front


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
