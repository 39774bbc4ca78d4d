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
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path, write_text
from kerasfaces.tune import records
from kerasfaces.tune.effects import short
from kerasfaces.tune.records import METRICS, Trial
from kerasfaces.tune.study import OBJECTIVES

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
    logits = [records.logits(folder, trial) for trial in completed[:1]]
    differences = [
        metrics.repeated_difference(
            objective.removeprefix("val_"),
            labels,
            records.logits(folder, trial),
            logits[0],
            seed=seed,
        )
        for trial in completed[1:]
    ]
    adjusted = metrics.holm([each.p_value for each in differences])
    compared: list[dict[str, Any]] = [{"against_best": BEST}]
    for difference, p_holm in zip(differences, adjusted, strict=True):
        value = difference.estimate.value
        ahead = (value > 0) == (OBJECTIVES[objective] == "max")
        compared.append(
            {
                "difference": value,
                "difference_low": difference.estimate.low,
                "difference_high": difference.estimate.high,
                "p_holm": p_holm,
                # Only a trial that was cut short can be better.
                "against_best": ALIKE
                if p_holm >= LEVEL
                else (BETTER if ahead else WORSE),
            }
        )
    rows = [
        {"rank": rank, **_facts(objective, trial), **row}
        | {"like_best": row["against_best"] in (BEST, ALIKE)}
        for rank, (trial, row) in enumerate(zip(completed, compared, strict=False), 1)
    ]
    rows += [{"rank": None, **_facts(objective, trial)} for trial in failed]
    return pd.DataFrame(rows)


def write(folder: Path, table: pd.DataFrame) -> None:
    """Write leaderboard.csv."""
    text = table.to_csv(index=False, lineterminator="\n")
    write_text(folder / "leaderboard.csv", text)


def text(table: pd.DataFrame, objective: str, names: Sequence[str]) -> str:
    """Return what a terminal shows: the first rows, and how many could be the best.

    `names` are the hyperparameters to show.
    """
    ranked = table[table["rank"].notna()]
    cells = [["", "trial", objective, "sd", *names]]
    for row in ranked.head(SHOWN).to_dict("records"):
        cells.append(
            [
                {BEST: "=", ALIKE: "=", BETTER: "+"}.get(row["against_best"], ""),
                str(row["trial"]),
                f"{row['score']:.4f}",
                "" if is_missing(row["sd"]) else f"{row['sd']:.4f}",
                *(
                    "" if is_missing(value) else short(value)
                    for value in (row.get(HP + name) for name in names)
                ),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
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


def is_missing(value: Any) -> bool:
    """Tell whether a cell is empty."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _facts(objective: str, trial: Trial) -> dict[str, Any]:
    repeats = trial.repeats
    means = {
        name: float(np.mean([one[name] for one in repeats]))
        for name in METRICS
        if repeats
    }
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
