"""Trials ranked on validation, and which of them chance alone may have ranked.

A trial's score is its mean over training seeds. It is compared with the best trial's by a
paired bootstrap over the validation images (both see the same draws, every seed's logits
count), Holm's correction over all comparisons. What is not distinguishable from the best
may be as good. Trials that ended before their training did (Hyperband's early rounds, the
median rule) come last, whatever their score: they may be better than the best.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces import metrics
from kerasfaces.core.files import Json
from kerasfaces.run import trials as records
from kerasfaces.run.trials import METRICS, Trial
from kerasfaces.tune.study import OBJECTIVES, column_of

LEVEL = 0.05
BEST, ALIKE, BETTER, WORSE = "best", "alike", "better", "worse"  # against the best
HP = "hp_"  # begins the columns of hyperparameters, which may have any name


def make(
    folder: Path,
    completed: Sequence[Trial],
    failed: Sequence[Trial],
    objective: str,
    seed: int,
) -> pd.DataFrame:
    """Return the leaderboard of a study's folder, which holds `val_labels.npy`.

    `completed` come best first; `seed` keys the resamples.
    """
    labels = records.read_labels(folder)
    rows = [{"rank": n, **_facts(objective, one)} for n, one in enumerate(completed, 1)]
    for row in rows[:1]:
        row |= {"against_best": BEST, "like_best": True}
    logits = (records.logits(folder, trial) for trial in completed)
    best = next(logits, np.empty(0))
    metric = column_of(objective).removeprefix("val_")
    differences = [
        metrics.repeated_difference(metric, labels, each, best, seed=seed)
        for each in logits
    ]
    adjusted = metrics.holm([each.p_value for each in differences])
    for row, difference, p_holm in zip(rows[1:], differences, adjusted, strict=True):
        one, alike = difference.estimate, p_holm >= LEVEL
        # Only a trial that was cut short can be better.
        ahead = one.value * OBJECTIVES[objective] > 0
        row |= {
            "difference": one.value,
            "difference_low": one.low,
            "difference_high": one.high,
            "p_holm": p_holm,
            "against_best": ALIKE if alike else BETTER if ahead else WORSE,
            "like_best": alike,
        }
    rows += [{"rank": None, **_facts(objective, trial)} for trial in failed]
    return pd.DataFrame(rows)


def hyperparameters(table: pd.DataFrame, space: Json) -> list[str]:
    """Return those in a table, in the order of study.json's space, each once."""
    names = dict.fromkeys(text.partition(" if ")[0] for text in space)
    return [name for name in names if HP + name in table.columns]


def n_like_best(table: pd.DataFrame) -> int:
    """Return the number of trials that are the best or not distinguishable from it."""
    return list(table.get("like_best", ())).count(True)


def _facts(objective: str, trial: Trial) -> Json:
    repeats = trial.repeats
    measured = dict.fromkeys((*METRICS, objective) if repeats else ())
    scores = [one[objective] for one in repeats]
    return {
        "trial": trial.trial_id,
        "status": trial.status.lower(),
        "score": trial.score,
        "sd": metrics.mean_sd(scores)[1] if scores else math.nan,
        "n_seeds": len(repeats),
        **{name: float(np.mean([one[name] for one in repeats])) for name in measured},
        "epochs": max((one["epochs"] for one in repeats), default=0),
        "partial": trial.partial,
        "seconds": trial.seconds,
        **{HP + name: value for name, value in trial.values.items()},
        "reason": trial.message,
    }
