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
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import Json, atomic_path, write_text
from kerasfaces.metrics.main_effects import short
from kerasfaces.run.folder import StudyRun
from kerasfaces.tune import records
from kerasfaces.tune.study import OBJECTIVES, UNSEEN, column_of
from kerasfaces.tune.trial_results import METRICS, Trial

LEVEL = 0.05
SHOWN = 10  # rows a terminal gets
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
    labels = read_labels(folder)
    rows = [{"rank": n, **_facts(objective, one)} for n, one in enumerate(completed, 1)]
    logits = [records.logits(folder, trial) for trial in completed[:1]]
    differences = [
        metrics.repeated_difference(
            column_of(objective).removeprefix("val_"),
            labels,
            records.logits(folder, trial),
            logits[0],
            seed=seed,
        )
        for trial in completed[1:]
    ]
    for row in rows[:1]:
        row |= {"against_best": BEST, "like_best": True}
    adjusted = metrics.holm([each.p_value for each in differences])
    for row, difference, p_holm in zip(rows[1:], differences, adjusted, strict=True):
        one, alike = difference.estimate, p_holm >= LEVEL
        # Only a trial that was cut short can be better.
        ahead = (one.value > 0) == (OBJECTIVES[objective] == "max")
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


def n_like_best(table: pd.DataFrame) -> int:
    """Return the number of trials that are the best or not distinguishable from it."""
    against_best = list(table.get("against_best", ()))
    return against_best.count(BEST) + against_best.count(ALIKE)


def write(folder: Path, table: pd.DataFrame) -> None:
    """Write leaderboard.csv."""
    text = table.to_csv(index=False, lineterminator="\n")
    write_text(StudyRun(folder).leaderboard_file, text)


def text(table: pd.DataFrame, objective: str, names: Sequence[str]) -> str:
    """Return what a terminal shows: the first rows, and how many could be the best.

    `names` are the hyperparameters to show.
    """
    ranked = table[table["rank"].notna()]
    cells = [["", "trial", objective, "sd", *names]]
    for row in ranked.head(SHOWN).to_dict("records"):
        mark = {BEST: "=", ALIKE: "=", BETTER: "+"}.get(row["against_best"], "")
        sd = "" if is_missing(row["sd"]) else f"{row['sd']:.4f}"
        values = [row.get(HP + name) for name in names]
        shown = ["" if is_missing(value) else short(value) for value in values]
        cells.append([mark, str(row["trial"]), f"{row['score']:.4f}", sd, *shown])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    ]
    if len(ranked) > SHOWN:
        lines.append(f"... and {len(ranked) - SHOWN} more in leaderboard.csv")
    lines += [
        "",
        "= : not distinguishable from the best on validation "
        f"({n_like_best(table)} of {len(ranked)}; paired bootstrap, Holm)",
    ]
    if ahead := int((ranked["against_best"] == BETTER).sum()):
        lines.append(
            f"+ : better than the best, but cut short ({ahead} of {len(ranked)}): only a whole "
            "training can win"
        )
    failed = table[table["rank"].isna()]
    if len(failed):
        first = failed.iloc[0]
        lines.append(
            f"{len(failed)} failed, e.g. trial {first['trial']}: {first['reason']}"
        )
    return "\n".join(line.rstrip() for line in lines)


def is_missing(value: object) -> bool:
    """Tell whether a cell is empty."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _facts(objective: str, trial: Trial) -> Json:
    repeats = trial.repeats
    every = [*METRICS, UNSEEN] if objective == UNSEEN else METRICS
    names = every if repeats else ()
    means = {name: float(np.mean([one[name] for one in repeats])) for name in names}
    scores = [one[objective] for one in repeats]
    return {
        "trial": trial.trial_id,
        "status": trial.status.lower(),
        "score": trial.score,
        "sd": metrics.mean_sd(scores)[1] if scores else math.nan,
        "n_seeds": len(repeats),
        **means,
        "epochs": max((one["epochs"] for one in repeats), default=0),
        "partial": trial.partial,
        "seconds": trial.seconds,
        **{HP + name: value for name, value in trial.values.items()},
        "reason": trial.message,
    }


def read_labels(folder: Path) -> NDArray[np.float32]:
    """Return the validation labels, `(m,)`, 1 = fake.

    Raises:
        RunError: The file is missing or damaged.
    """
    path = folder / "val_labels.npy"
    try:
        labels: NDArray[np.float32] = np.load(path)
    except (OSError, ValueError, EOFError) as error:
        raise RunError(
            f"{path} is missing or damaged ({error}); delete it and run the same command: it is "
            "made again."
        ) from error
    return labels


def write_labels(folder: Path, labels: NDArray[np.float32]) -> None:
    """Keep the validation labels that all logits belong to, `(m,)`, 1 = fake."""
    with atomic_path(folder / "val_labels.npy") as temporary:
        np.save(temporary, labels)
