"""Trials ranked on validation, and which of them chance alone may have ranked.

A trial's score is its mean over training seeds. It is compared with the best trial's by a
paired bootstrap over the validation images (both see the same draws, every seed's logits
count), Holm's correction over all comparisons. What is not distinguishable from the best
may be as good. Trials that ended before their training did (Hyperband's early rounds, the
median rule) come last, whatever their score: they may be better than the best.
"""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path, write_text
from kerasfaces.tune import records
from kerasfaces.tune.study import OBJECTIVES
from kerasfaces.tune.trainings import METRICS

logger = logging.getLogger(__name__)

LEVEL = 0.05
SHOWN = 10  # rows a terminal gets
BEST, ALIKE, BETTER, WORSE = "best", "alike", "better", "worse"  # against the best
HP = "hp_"  # begins the columns of hyperparameters, which may have any name


class Judged(Protocol):
    """How a study judges its trials."""

    @property
    def objective(self) -> str:
        """Column of the history."""

    @property
    def seed(self) -> int:
        """Of the resamples."""


def make(
    study: Judged, folder: Path, completed: Sequence[Any], failed: Sequence[Any]
) -> pd.DataFrame:
    """Return the leaderboard.

    Args:
        study: The study.
        folder: Its folder, with `val_labels.npy`.
        completed: Trials with scores, best first.
        failed: The others.
    """
    labels = read_labels(folder)
    best = records.logits(folder, completed[0]) if completed else None
    differences = [
        metrics.repeated_difference(
            study.objective.removeprefix("val_"),
            labels,
            records.logits(folder, trial),
            best,
            seed=study.seed,
        )
        for trial in completed[1:]
        if best is not None
    ]
    adjusted = metrics.holm([each.p_value for each in differences])
    rows = []
    for rank, trial in enumerate(completed):
        row = {"rank": rank + 1, **_facts(study, trial)}
        if rank:
            difference = differences[rank - 1]
            row |= {
                "difference": difference.estimate.value,
                "difference_low": difference.estimate.low,
                "difference_high": difference.estimate.high,
                "p_holm": adjusted[rank - 1],
                "against_best": _verdict(
                    study, difference.estimate.value, adjusted[rank - 1]
                ),
            }
        else:
            row["against_best"] = BEST
        row["like_best"] = row["against_best"] in (BEST, ALIKE)
        rows.append(row)
    rows += [{"rank": None, **_facts(study, trial)} for trial in failed]
    return pd.DataFrame(rows)


def write(folder: Path, table: pd.DataFrame) -> None:
    """Write leaderboard.csv."""
    write_text(
        folder / "leaderboard.csv", table.to_csv(index=False, lineterminator="\n")
    )


def text(study: Judged, table: pd.DataFrame, names: Sequence[str]) -> str:
    """Return what a terminal shows: the first rows, and how many could be the best.

    Args:
        study: The study.
        table: The leaderboard.
        names: Hyperparameters to show.
    """
    ranked = table[table["rank"].notna()]
    shown = ranked.head(SHOWN)
    cells = [["", "trial", study.objective, "sd", *names]]
    for row in shown.to_dict("records"):
        sd = row["sd"]
        cells.append(
            [
                {BEST: "=", ALIKE: "=", BETTER: "+"}.get(row["against_best"], ""),
                str(row["trial"]),
                f"{row['score']:.4f}",
                "" if sd is None or math.isnan(sd) else f"{sd:.4f}",
                *(_short(row.get(HP + name)) for name in names),
            ]
        )
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    ]
    if len(ranked) > SHOWN:
        lines.append(f"... and {len(ranked) - SHOWN} more in leaderboard.csv")
    alike = int(ranked["like_best"].astype(bool).sum())
    lines += [
        "",
        f"= : not distinguishable from the best on validation ({alike} of {len(ranked)}; "
        "paired bootstrap, Holm)",
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


def _verdict(study: Judged, difference: float, p_value: float) -> str:
    """Return what a trial is against the best; only one that was cut short can be better."""
    if p_value >= LEVEL:
        return ALIKE
    ahead = (difference > 0) == (OBJECTIVES[study.objective] == "max")
    return BETTER if ahead else WORSE


def _facts(study: Judged, trial: Any) -> dict[str, Any]:
    scores = [one[study.objective] for one in trial.repeats]
    sd = metrics.mean_sd(scores)[1] if scores else math.nan
    others = {
        name: float(np.mean([one[name] for one in trial.repeats]))
        for name in METRICS
        if trial.repeats
    }
    return {
        "trial": trial.trial_id,
        "status": trial.status.lower(),
        "score": trial.score,
        "sd": sd,
        "n_seeds": len(scores),
        **others,
        "epochs": max((one["epochs"] for one in trial.repeats), default=0),
        "partial": trial.partial,
        "seconds": trial.seconds,
        **{HP + name: value for name, value in trial.values.items()},
        "reason": trial.message,
    }


def _short(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


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
