"""Learning curves of the trials, as kabber2023's figure 3 shows one of its own."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from kerasfaces.metrics.main_effects import short
from kerasfaces.report import chart, markup
from kerasfaces.report.markup import Section
from kerasfaces.tune import records
from kerasfaces.tune.report import StudyInput
from kerasfaces.tune.sections.effects import span
from kerasfaces.tune.study import column_of
from kerasfaces.tune.trial_results import Trial

ORDER = 60
_ALONE = 9  # trials that get a picture of their own
_LINES = 60  # at most, in the pictures of all
_TITLES = {
    "val_auc": "AUC on validation",
    "val_accuracy": "Accuracy on validation",
    "val_loss": "Cross-entropy on validation",
}


def report(data: StudyInput) -> Section | None:
    """Return all trials in one picture per quantity, then the best ones alone."""
    chosen = _spaced(data.completed, _LINES)
    curves = {trial.trial_id: records.history(data.folder, trial) for trial in chosen}
    chosen = [trial for trial in chosen if not curves[trial.trial_id].empty]
    if not chosen:
        return None
    first = column_of(data.objective)
    names = [first, *(name for name in _TITLES if name != first)]
    keys = chart.legend([("mark", "the best trial"), *data.colours])
    n_trials = f"{len(chosen)} trials"
    if len(chosen) < len(data.completed):
        n_trials = f"{len(chosen)} of {len(data.completed)} trials, from best to worst"
    alone = chosen[:_ALONE]
    parts = [
        markup.paragraph(f"{n_trials}, the mean over training seeds. ", keys),
        markup.row(*(_all(data, chosen, curves, name) for name in names)),
        markup.details(
            f"The best {len(alone)} one by one, every seed",
            markup.row(*(_one(data, one, curves[one.trial_id]) for one in alone)),
        ),
    ]
    return Section("Learning curves", Markup("").join(parts))


def _spaced(trials: Sequence[Trial], count: int) -> list[Trial]:
    """Return the best trials and, evenly, some of the others."""
    if len(trials) <= count:
        return list(trials)
    others = np.linspace(_ALONE, len(trials) - 1, count - _ALONE)
    return [trials[int(i)] for i in np.unique(np.r_[np.arange(_ALONE), others])]


def _all(
    data: StudyInput,
    trials: Sequence[Trial],
    curves: dict[str, pd.DataFrame],
    name: str,
) -> Markup:
    means = [_mean(curves[trial.trial_id], name) for trial in trials]
    drawn = list(zip(means, map(data.line, trials), strict=True))
    image = _chart(name, drawn[::-1], f"{name} of {len(trials)} trials by epoch")
    return markup.figure(image, _TITLES[name])


def _one(data: StudyInput, trial: Trial, curve: pd.DataFrame) -> Markup:
    """Draw every seed of one trial."""
    name, colour = column_of(data.objective), data.colour(trial)
    seeds = [part[name].to_numpy(float) for _, part in curve.groupby("seed")]
    about = f"{name} of trial {trial.trial_id} by epoch"
    image = _chart(name, [(values, colour) for values in seeds], about)
    values = ", ".join(f"{key} {short(v)}" for key, v in trial.own_values.items())
    return markup.figure(image, f"{trial.trial_id}: {values}")


def _chart(
    name: str, lines: Sequence[tuple[NDArray[np.float64], str]], about: str
) -> Markup:
    """Draw values by epoch, each line in its kind."""
    longest = max(len(values) for values, _ in lines)
    axes = chart.axes(
        (1, max(2, longest)),
        span(np.concatenate([values for values, _ in lines])),
        x_label="epoch",
        y_label=name.replace("_", " "),
        whole_x=True,
    )
    for values, kind in lines:
        chart.line(axes, np.arange(1, len(values) + 1), values, kind)
        if len(values) == 1:
            chart.point(axes, 1, float(values[0]), kind.split()[0], radius_px=3)
    return chart.svg(axes, about)


def _mean(curve: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return the mean over seeds, as far as all of them went."""
    counts = curve.groupby("epoch")[name].agg(["mean", "count"])
    whole = counts["count"] == counts["count"].max()
    mean: NDArray[np.float64] = counts.loc[whole, "mean"].to_numpy(float)
    return mean
