"""The files that hold a study's trials.

Each file is written whole or not at all; the package docstring lists them.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core import arrays
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import Json, atomic_path, write_json, write_text
from kerasfaces.core.texts import quoted
from kerasfaces.tune.trial_results import (
    COMPLETED,
    FAILED,
    METRICS,
    RUNNING,
    Result,
    Trial,
)

_AGAIN = "run the same command: that trial is trained again, the others are not touched"


def folder_of(study: Path, trial_id: str) -> Path:
    """Return a trial's folder, named as KerasTuner names it."""
    return study / f"trial_{trial_id}"


def checkpoint_of(folder: Path, seed: int) -> Path:
    """Return the file that holds the state of an unfinished training."""
    return folder / f"checkpoint-{seed}.npz"


def begin(study: Path, state: Json) -> None:
    """Write a trial that has values and no result: KerasTuner's state of it."""
    write_json(folder_of(study, state["trial_id"]) / "trial.json", state)


def finish(study: Path, state: Json, result: Result, config: Json | None) -> Trial:
    """Write a trial's result and KerasTuner's state; with trial.json the trial is over."""
    folder = folder_of(study, state["trial_id"])
    repeats = result.repeats
    if repeats:
        rows = [{"seed": one.seed, **row} for one in repeats for row in one.rows]
        table = pd.DataFrame(rows).drop(columns="phase", errors="ignore")
        write_text(folder / "history.csv", table.to_csv(index=False))
        by_seed = {f"seed_{one.seed}": one.logits for one in repeats}
        arrays.write(folder / "logits.npz", by_seed)
        weights = {
            f"seed_{one.seed}_{i}": array
            for one in repeats
            for i, array in enumerate(one.weights)
        }
        arrays.write(folder / "weights.npz", weights)
    for seed, content in result.checkpoints.items():
        with atomic_path(checkpoint_of(folder, seed)) as temporary:
            temporary.write_bytes(content)
    more = {
        "repeats": [one.summary() for one in repeats],
        "config": config,
        "seconds": round(result.seconds, 3),
    }
    write_json(folder / "trial.json", {**state, **more})
    (folder / "progress.json").unlink(missing_ok=True)
    return load(folder / "trial.json")


def load_all(study: Path) -> list[Trial]:
    """Read every trial.json, in order.

    Raises:
        RunError: One is damaged; the message names it.
    """
    return [load(path) for path in sorted(study.glob("trial_*/trial.json"))]


def load(path: Path) -> Trial:
    """Read one trial.json; see `load_all`."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        trial = Trial(
            trial_id=state["trial_id"],
            values=dict(state["hyperparameters"]["values"]),
            status=state["status"],
            score=state["score"],
            message=state["message"] or "",
            repeats=state.get("repeats", []),
            config=state.get("config"),
            seconds=state.get("seconds", 0.0),
        )
        if folder_of(path.parents[1], trial.trial_id) != path.parent:
            raise ValueError(f"it is trial {trial.trial_id}")
        if trial.status not in (COMPLETED, FAILED, RUNNING):
            raise ValueError(f"status {quoted(trial.status)}")
        scored = trial.score is not None and math.isfinite(trial.score)
        if (trial.status == COMPLETED) != (scored and bool(trial.repeats)):
            raise ValueError(
                f"score {quoted(trial.score)} of {len(trial.repeats)} trainings"
            )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{path} is damaged ({type(error).__name__}: {error}); put a copy back, or delete "
            f"the folder {path.parent} and {_AGAIN}."
        ) from error
    return trial


def logits(study: Path, trial: Trial) -> NDArray[np.float64]:
    """Return a completed trial's validation logits, `(n_seeds, m)`.

    Raises:
        RunError: The file is missing or damaged.
    """
    path = folder_of(study, trial.trial_id) / "logits.npz"
    by_seed = arrays.read(path, f"delete the folder {path.parent} and {_AGAIN}")
    try:
        rows = [by_seed[f"seed_{one['seed']}"] for one in trial.repeats]
        return np.stack(rows).astype(np.float64)
    except (ValueError, KeyError) as error:
        raise _damaged(path, error) from error


def history(study: Path, trial: Trial) -> pd.DataFrame:
    """Return a trial's epochs, `seed,epoch,...`; empty where it has none.

    Raises:
        RunError: The file is damaged.
    """
    path = folder_of(study, trial.trial_id) / "history.csv"
    if not path.exists():
        return pd.DataFrame()
    numbers = ["seed", "epoch", *METRICS]
    try:
        table = pd.read_csv(path)
        whole = set(numbers) <= set(table.columns)
        if not whole or not np.isfinite(table[numbers]).all(axis=None):
            raise ValueError("numbers are missing")
    except (ValueError, TypeError) as error:  # pandas' own errors are ValueErrors
        raise _damaged(path, error) from error
    return table


def _damaged(path: Path, error: Exception) -> RunError:
    return RunError(
        f"{path} is damaged ({error}); delete the folder {path.parent} and {_AGAIN}."
    )


def read_progress(folder: Path) -> Json | None:
    """Return how far a trial is; None where it has not begun, or is over."""
    try:
        text = (folder / "progress.json").read_text(encoding="utf-8")
        progress: Json = json.loads(text)
    except (OSError, ValueError):
        return None
    return progress


def prune(
    study: Path, ended: Sequence[Trial], best: set[str], continued: set[str]
) -> None:
    """Remove the weights of all but the best, and checkpoints that nobody may continue."""
    for trial in ended:
        folder = folder_of(study, trial.trial_id)
        if trial.trial_id not in best:
            (folder / "weights.npz").unlink(missing_ok=True)
        if trial.trial_id not in continued:
            for path in folder.glob("checkpoint-*.npz"):
                path.unlink(missing_ok=True)
