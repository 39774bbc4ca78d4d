"""The files of one trial, each written whole or not at all; see the package docstring."""

import dataclasses
import io
import json
import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from keras_tuner.engine import trial as trials
from numpy.typing import NDArray

from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path, read_json, write_json, write_text
from kerasfaces.core.texts import quoted
from kerasfaces.tune.study import OBJECTIVES

COMPLETED, FAILED, RUNNING = "COMPLETED", "FAILED", "RUNNING"
EPOCHS = "tuner/epochs"  # KerasTuner's name for Hyperband's share of the epochs
KEPT = ("loss", *OBJECTIVES)  # of the epoch whose weights count


@dataclasses.dataclass(frozen=True, kw_only=True)
class Repeat:
    """One training seed of a trial.

    Attributes:
        seed: Of weights, dropout and batch order.
        rows: The history, one row per epoch.
        kept: Position of the epoch whose weights count.
        logits: Of the validation images, `(m,)` float32.
        weights: The head's arrays.
        seconds: Of training.
        stopped: The median rule ended it.
        engine: What computed the features, with version.
    """

    seed: int
    rows: list[dict[str, Any]]
    kept: int
    logits: NDArray[np.float32]
    weights: list[NDArray[Any]]
    seconds: float
    stopped: bool = False
    engine: str = ""

    def summary(self) -> dict[str, Any]:
        """Return what trial.json keeps of it."""
        row = self.rows[self.kept]
        return {
            "seed": self.seed,
            "epochs": len(self.rows),
            "kept_epoch": row["epoch"],
            **{name: row[name] for name in KEPT},
            "engine": self.engine,
            "seconds": round(self.seconds, 3),
            "stopped": self.stopped,
        }


class Trial(trials.Trial):
    """KerasTuner's trial, with its repeats and the run it stands for.

    Attributes:
        repeats: One summary per training seed.
        config: The run's configuration.
        seconds: All of the trial, features included.
        workers: Processes on its machine that trained at the same time; 0 where an
            older study did not say.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.repeats: list[dict[str, Any]] = []
        self.config: dict[str, Any] | None = None
        self.seconds = 0.0
        self.workers = 0

    @property
    def stopped(self) -> bool:
        """Tell whether the median rule ended it."""
        return any(each["stopped"] for each in self.repeats)

    @property
    def partial(self) -> bool:
        """Tell whether it ended before its training did: `train` cannot repeat it.

        Hyperband's early rounds and trials that the median rule stopped.
        """
        now, config = self.hyperparameters.values.get(EPOCHS), self.config or {}
        paused = now is not None and now < config.get("epochs", 0)
        patience = config.get("patience") or math.inf
        return self.stopped or any(
            paused
            and each["epochs"] >= now
            and each["epochs"] - each["kept_epoch"] < patience
            for each in self.repeats
        )

    def get_state(self) -> dict[str, Any]:
        """Return KerasTuner's state and ours."""
        return {
            **super().get_state(),
            "repeats": self.repeats,
            "config": self.config,
            "seconds": self.seconds,
            "workers": self.workers,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Take a state back."""
        super().set_state(state)
        self.repeats, self.config = state.get("repeats", []), state.get("config")
        self.seconds = state.get("seconds", 0.0)
        self.workers = state.get("workers", 0)


def ranked(trials: Iterable[Trial], direction: str) -> list[Trial]:
    """Return the trials with a score, best first; the earlier where equal.

    Those that ended before their training did come last: nobody can train them again.

    Args:
        trials: Any.
        direction: `max`, or `min` where less is better.
    """
    sign = -1.0 if direction == "max" else 1.0
    found = [each for each in trials if each.status == COMPLETED]
    return sorted(
        found, key=lambda each: (each.partial, sign * each.score, each.trial_id)
    )


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


def save(study: Path, trial: Trial) -> None:
    """Write trial.json."""
    write_json(folder_of(study, trial.trial_id) / "trial.json", trial.get_state())


def load_all(study: Path) -> list[Trial]:
    """Read every trial.json, in order.

    Raises:
        RunError: One is damaged; the message names it.
    """
    return [load(path) for path in sorted(study.glob("trial_*/trial.json"))]


def load(path: Path) -> Trial:
    """Read one trial.json; see `load_all`."""
    try:
        trial = Trial.from_state(json.loads(path.read_text(encoding="utf-8")))
        if folder_of(path.parents[1], str(trial.trial_id)) != path.parent:
            raise ValueError(f"it is trial {trial.trial_id}")
        if trial.status not in (COMPLETED, FAILED, RUNNING):
            raise ValueError(f"status {quoted(trial.status)}")
        if trial.status == COMPLETED and not (
            trial.repeats and math.isfinite(trial.score)
        ):
            raise ValueError(
                f"score {quoted(trial.score)} of {len(trial.repeats)} trainings"
            )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{path} is damaged ({type(error).__name__}: {error}); put a copy back, or delete "
            f"the folder {path.parent} and run the same command: that trial is trained again, "
            "the others are kept."
        ) from error
    loaded: Trial = trial
    return loaded


def write_result(
    study: Path,
    trial_id: str,
    repeats: list[Repeat],
    *,
    config: dict[str, Any] | None,
    seconds: float,
    message: str = "",
) -> None:
    """Write what a trial found; result.json last: with it the trial is over."""
    folder = folder_of(study, trial_id)
    if repeats:
        rows = [{"seed": one.seed, **row} for one in repeats for row in one.rows]
        table = pd.DataFrame(rows).drop(columns="phase", errors="ignore")
        write_text(folder / "history.csv", table.to_csv(index=False))
        logits = {f"seed_{one.seed}": one.logits for one in repeats}
        _write_arrays(folder / "logits.npz", logits)
        weights = {
            f"seed_{one.seed}_{i}": array
            for one in repeats
            for i, array in enumerate(one.weights)
        }
        _write_arrays(folder / "weights.npz", weights)
    result = {
        "status": FAILED if message else COMPLETED,
        "message": message or None,
        "repeats": [one.summary() for one in repeats],
        "config": config,
        "seconds": round(seconds, 3),
    }
    write_json(folder / "result.json", result)
    (folder / "progress.json").unlink(missing_ok=True)


def read_result(study: Path, trial_id: str) -> dict[str, Any] | None:
    """Return result.json; None while the trial is not over."""
    path = folder_of(study, trial_id) / "result.json"
    if not path.exists():
        return None
    result: dict[str, Any] = read_json(path)
    return result


def forget_result(study: Path, trial_id: str) -> None:
    """Remove result.json once trial.json says the same."""
    (folder_of(study, trial_id) / "result.json").unlink(missing_ok=True)


def logits(study: Path, trial: Trial) -> NDArray[np.float64]:
    """Return a completed trial's validation logits, `(n_seeds, m)`.

    Raises:
        RunError: The file is missing or damaged.
    """
    path = folder_of(study, trial.trial_id) / "logits.npz"
    try:
        with path.open("rb") as file, np.load(file) as archive:
            found = [archive[f"seed_{one['seed']}"] for one in trial.repeats]
        return np.stack(found).astype(np.float64)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RunError(
            f"{path} is missing or damaged ({error}); delete the folder {path.parent} and run "
            "the same command: that trial is trained again, the others are kept."
        ) from error


def history(study: Path, trial: Trial) -> pd.DataFrame:
    """Return a trial's epochs, `seed,epoch,...`; empty where it has none."""
    path = folder_of(study, trial.trial_id) / "history.csv"
    if not path.exists():
        return pd.DataFrame()
    try:
        table = pd.read_csv(path)
        whole = {"seed", "epoch", *KEPT} <= set(table.columns)
        if not whole or not np.isfinite(table[["seed", "epoch", *KEPT]]).all(axis=None):
            raise ValueError("numbers are missing")
    except (ValueError, TypeError) as error:  # pandas' own errors are ValueErrors
        raise RunError(
            f"{path} is damaged ({error}); delete the folder {path.parent} and run the same "
            "command: that trial is trained again, the others are kept."
        ) from error
    return table


def curve(study: Path, trial: Trial, objective: str) -> list[float]:
    """Return the objective after each epoch of a trial's first seed."""
    table = history(study, trial)
    if table.empty:
        return []
    first = table[table["seed"] == table["seed"].iloc[0]]
    return [float(value) for value in first[objective]]


def clean(study: Path) -> None:
    """Remove what a killed writer left half-written."""
    for pattern in (
        ".*.tmp.*",
        "trial_*/.*.tmp.*",
        "trial_*/*/.*.tmp.*",
        "clocks/.*.tmp.*",
        "trial_*/progress.json",
    ):
        for path in study.glob(pattern):
            path.unlink(missing_ok=True)


def _write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())
