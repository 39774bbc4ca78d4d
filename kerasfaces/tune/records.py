"""The files of one trial, each written whole or not at all; see the package docstring."""

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core import arrays
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path, read_json, write_json, write_text
from kerasfaces.core.texts import quoted
from kerasfaces.tune.trainings import METRICS, Result

COMPLETED, FAILED, RUNNING = "COMPLETED", "FAILED", "RUNNING"
RESERVED = "tuner/"  # names of Hyperband's own values
EPOCHS = "tuner/epochs"  # KerasTuner's name for Hyperband's share of the epochs
_AGAIN = "run the same command: that trial is trained again, the others are not touched"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """The content of trial.json.

    Attributes:
        trial_id: Its number, four digits.
        values: Hyperparameter -> value, Hyperband's own included.
        status: `COMPLETED`, `FAILED` or `RUNNING`.
        score: Mean of the objective over the repeats; None unless completed.
        message: Why it failed; empty where it did not.
        repeats: One summary per training seed.
        config: The run's configuration; None where the values stand for none.
        seconds: All of the trial, features included.
    """

    trial_id: str
    values: Mapping[str, Any]
    status: str
    score: float | None = None
    message: str = ""
    repeats: Sequence[Mapping[str, Any]] = ()
    config: Mapping[str, Any] | None = None
    seconds: float = 0.0

    @property
    def own_values(self) -> dict[str, Any]:
        """Return the values without Hyperband's."""
        return {k: v for k, v in self.values.items() if not k.startswith(RESERVED)}

    @property
    def stopped(self) -> bool:
        """Tell whether the median rule ended it."""
        return any(each["stopped"] for each in self.repeats)

    @property
    def partial(self) -> bool:
        """Tell whether it ended before its training did: `train` cannot repeat it.

        Hyperband's early rounds and trials that the median rule stopped.
        """
        now, config = self.values.get(EPOCHS), self.config or {}
        paused = now is not None and now < config.get("epochs", 0)
        patience = config.get("patience") or math.inf
        return self.stopped or any(
            paused
            and each["epochs"] >= now
            and each["epochs"] - each["kept_epoch"] < patience
            for each in self.repeats
        )


def ranked(trials: Iterable[Trial], direction: str) -> list[Trial]:
    """Return the trials with a score, best first; the earlier where equal.

    Those that ended before their training did come last: nobody can train them again.

    Args:
        trials: Any.
        direction: `max`, or `min` where less is better.
    """
    sign = -1.0 if direction == "max" else 1.0
    scored = [(sign * one.score, one) for one in trials if one.score is not None]
    ordered = sorted(
        scored, key=lambda pair: (pair[1].partial, pair[0], pair[1].trial_id)
    )
    return [one for _, one in ordered]


def read_object(path: Path) -> dict[str, Any]:
    """Return a JSON file that holds keys and values.

    Raises:
        RunError: It holds something else, or is damaged.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise RunError(
            f"{path} is damaged (expected keys and values, got a {type(content).__name__}); "
            "restore or delete it."
        )
    return content


def folder_of(study: Path, trial_id: str) -> Path:
    """Return a trial's folder, named as KerasTuner names it."""
    return study / f"trial_{trial_id}"


def checkpoint_of(folder: Path, seed: int) -> Path:
    """Return the file that holds the state of an unfinished training."""
    return folder / f"checkpoint-{seed}.npz"


def begin(study: Path, state: Mapping[str, Any]) -> None:
    """Write a trial that has values and no result.

    Args:
        study: The study's folder.
        state: KerasTuner's, of a running trial.
    """
    write_json(folder_of(study, state["trial_id"]) / "trial.json", state)


def finish(
    study: Path,
    state: Mapping[str, Any],
    result: Result,
    config: Mapping[str, Any] | None,
) -> Trial:
    """Write a trial's result; trial.json last: with it the trial is over.

    Args:
        study: The study's folder.
        state: KerasTuner's, of the trial that is over.
        result: What its training came to.
        config: The run's configuration.
    """
    folder = folder_of(study, state["trial_id"])
    repeats = result.repeats
    if repeats:
        rows = [{"seed": one.seed, **row} for one in repeats for row in one.rows]
        table = pd.DataFrame(rows).drop(columns="phase", errors="ignore")
        write_text(folder / "history.csv", table.to_csv(index=False))
        logits = {f"seed_{one.seed}": one.logits for one in repeats}
        arrays.write(folder / "logits.npz", logits)
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
        raise RunError(
            f"{path} is damaged ({error}); delete the folder {path.parent} and {_AGAIN}."
        ) from error


def history(study: Path, trial: Trial) -> pd.DataFrame:
    """Return a trial's epochs, `seed,epoch,...`; empty where it has none."""
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
        raise RunError(
            f"{path} is damaged ({error}); delete the folder {path.parent} and {_AGAIN}."
        ) from error
    return table


def curve(study: Path, trial: Trial, objective: str) -> list[float]:
    """Return the objective after each epoch of a trial's first seed."""
    table = history(study, trial)
    if table.empty:
        return []
    first = table[table["seed"] == table["seed"].iloc[0]]
    return [float(value) for value in first[objective]]


def write_progress(folder: Path, progress: Mapping[str, Any]) -> None:
    """Write how far a running trial is.

    Args:
        folder: The trial's.
        progress: `repeat` of `repeats`, `epoch` of `epochs`, `value` of the objective, and
            how many epochs were `trained` in these `seconds`: a continued trial's first
            ones were not.
    """
    write_json(folder / "progress.json", progress)


def read_progress(folder: Path) -> dict[str, Any] | None:
    """Return how far a trial is; None where it has not begun, or is over."""
    try:
        text = (folder / "progress.json").read_text(encoding="utf-8")
        progress: dict[str, Any] = json.loads(text)
    except (OSError, ValueError):
        return None
    return progress


def prune(
    study: Path, ended: Sequence[Trial], best: set[str], continued: set[str]
) -> None:
    """Remove weights and checkpoints that nobody needs any more.

    Args:
        study: The study's folder.
        ended: Trials that are over.
        best: Those that keep their weights.
        continued: Those that later trials may continue.
    """
    for trial in ended:
        folder = folder_of(study, trial.trial_id)
        if trial.trial_id not in best:
            (folder / "weights.npz").unlink(missing_ok=True)
        if trial.trial_id not in continued:
            for path in folder.glob("checkpoint-*.npz"):
                path.unlink(missing_ok=True)
