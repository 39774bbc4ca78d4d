"""Learning curves of the trials, as kabber2023's figure 3 shows one of its own."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from kerasfaces.metrics.main_effects import short
from kerasfaces.report import chart, markup
from kerasfaces.report.markup import Section
from kerasfaces.run import trials as records
from kerasfaces.tune.report import StudyInput
from kerasfaces.tune.sections.effects import span
from kerasfaces.tune.study import column_of

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
    chosen = data.completed
    if len(chosen) > _LINES:  # the best, and some of the others
        others = np.linspace(_ALONE, len(chosen) - 1, _LINES - _ALONE)
        places = np.unique(np.r_[np.arange(_ALONE), others].astype(int))
        chosen = [chosen[place] for place in places]
    curves = [(trial, records.history(data.folder, trial)) for trial in chosen]
    curves = [(trial, curve) for trial, curve in curves if not curve.empty]
    if not curves:
        return None
    first = column_of(data.objective)
    all_pictures, pictures = [], []
    for name in sorted(_TITLES, key=lambda name: name != first):
        drawn = [(_mean(curve, name), data.line(trial)) for trial, curve in curves]
        image = _chart(name, drawn[::-1], f"{name} of {len(curves)} trials by epoch")
        all_pictures.append(markup.figure(image, _TITLES[name]))
    for trial, curve in curves[:_ALONE]:
        seeds = [part[first].to_numpy(float) for _, part in curve.groupby("seed")]
        drawn = [(values, data.colour(trial)) for values in seeds]
        image = _chart(first, drawn, f"{first} of trial {trial.trial_id} by epoch")
        values = ", ".join(f"{key} {short(v)}" for key, v in trial.own_values.items())
        pictures.append(markup.figure(image, f"{trial.trial_id}: {values}"))
    keys = chart.legend([("mark", "the best trial"), *data.colours])
    n_trials = f"{len(curves)} trials"
    if len(curves) < len(data.completed):
        n_trials = f"{len(curves)} of {len(data.completed)} trials, from best to worst"
    summary = f"The best {len(pictures)} one by one, every seed"
    parts = [
        markup.paragraph(f"{n_trials}, the mean over training seeds. ", keys),
        markup.row(*all_pictures),
        markup.details(summary, markup.row(*pictures)),
    ]
    return Section("Learning curves", Markup("").join(parts))


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
