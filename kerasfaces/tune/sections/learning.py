"""Learning curves of the trials, as kabber2023's figure 3 shows one of its own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from kerasfaces.report import chart, markup
from kerasfaces.report.chart import legend
from kerasfaces.report.markup import Section
from kerasfaces.tune import records
from kerasfaces.tune.effects import short
from kerasfaces.tune.report_input import StudyInput
from kerasfaces.tune.sections.effects import span
from kerasfaces.tune.study import OBJECTIVES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ORDER = 60
_ALONE = 9  # trials that get a picture of their own
_LINES = 60  # at most, in the pictures of all


def report(data: StudyInput) -> Section | None:
    """Return all trials in one picture per quantity, then the best ones alone."""
    chosen = _spaced(data.completed, _LINES)
    curves = {trial.trial_id: records.history(data.folder, trial) for trial in chosen}
    chosen = [trial for trial in chosen if not curves[trial.trial_id].empty]
    if not chosen:
        return None
    names = [data.objective, *(name for name in OBJECTIVES if name != data.objective)]
    keys = legend([("mark", "the best trial"), *data.colours])
    told = (
        f"{len(chosen)} trials"
        if len(chosen) == len(data.completed)
        else (f"{len(chosen)} of {len(data.completed)} trials, from best to worst")
    )
    together = markup.row(*(_all(data, chosen, curves, name) for name in names))
    alone = chosen[: min(_ALONE, len(data.completed))]
    each = markup.row(*(_one(data, trial, curves[trial.trial_id]) for trial in alone))
    return Section(
        "Learning curves",
        Markup("").join(
            [
                markup.paragraph(f"{told}, the mean over training seeds. ", keys),
                together,
                markup.details(f"The best {len(alone)} one by one, every seed", each),
            ]
        ),
    )


def _spaced(trials: Sequence[Any], count: int) -> list[Any]:
    """Return the best trials and, evenly, some of the others."""
    if len(trials) <= count:
        return list(trials)
    at = np.unique(
        np.r_[np.arange(_ALONE), np.linspace(_ALONE, len(trials) - 1, count - _ALONE)]
    )
    return [trials[int(i)] for i in at]


def _all(
    data: StudyInput, trials: Sequence[Any], curves: dict[str, pd.DataFrame], name: str
) -> Markup:
    means = [_mean(curves[trial.trial_id], name) for trial in trials]
    longest = max(len(mean) for mean in means)
    axes = _axes(name, longest, np.concatenate(means))
    for i in reversed(range(len(trials))):
        _line(axes, means[i], data.line(trials[i]))
    image = chart.svg(axes, f"{name} of {len(trials)} trials by epoch")
    return markup.figure(image, _title(name))


def _one(data: StudyInput, trial: Any, curve: pd.DataFrame) -> Markup:
    """Draw every seed of one trial."""
    name = data.objective
    parts = [part[name].to_numpy(float) for _, part in curve.groupby("seed")]
    longest = max(len(part) for part in parts)
    axes = _axes(name, longest, np.concatenate(parts))
    for part in parts:
        _line(axes, part, data.colour(trial))
    values = ", ".join(
        f"{key} {short(value)}" for key, value in trial.own_values.items()
    )
    image = chart.svg(axes, f"{name} of trial {trial.trial_id} by epoch")
    return markup.figure(image, f"{trial.trial_id}: {values}")


def _axes(name: str, longest: int, values: NDArray[np.float64]) -> "Axes":
    return chart.axes(
        (1, max(2, longest)),
        span(values),
        x_label="epoch",
        y_label=name.replace("_", " "),
        whole_x=True,
    )


def _line(axes: "Axes", values: NDArray[np.float64], kind: str) -> None:
    chart.line(axes, np.arange(1, len(values) + 1), values, kind)
    if len(values) == 1:
        chart.point(axes, 1, float(values[0]), kind.split()[0], radius_px=3)


def _mean(curve: pd.DataFrame, name: str) -> Any:
    """Return the mean over seeds, as far as all of them went."""
    counts = curve.groupby("epoch")[name].agg(["mean", "count"])
    return counts.loc[counts["count"] == counts["count"].max(), "mean"].to_numpy(float)


def _title(name: str) -> str:
    return {
        "val_auc": "AUC on validation",
        "val_accuracy": "Accuracy on validation",
        "val_loss": "Cross-entropy on validation",
    }[name]
