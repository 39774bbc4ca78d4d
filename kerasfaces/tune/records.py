"""A trial: what a worker gets, what its training gives, and the files that hold it.

Each file is written whole or not at all; the package docstring lists them.
"""

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
from kerasfaces.core.files import Json, atomic_path, write_json, write_text
from kerasfaces.core.texts import quoted
from kerasfaces.metrics.main_effects import Value
from kerasfaces.train.config import TrainConfig

METRICS = ("loss", "val_auc", "val_accuracy", "val_loss")  # of the epoch that counts
COMPLETED, FAILED, RUNNING = "COMPLETED", "FAILED", "RUNNING"
Values = dict[str, Value]  # by name
RESERVED = "tuner/"  # names of Hyperband's own values
EPOCHS = "tuner/epochs"  # KerasTuner's name for Hyperband's share of the epochs
_AGAIN = "run the same command: that trial is trained again, the others are not touched"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """A trial, ready to be trained."""

    trial_id: str  # its number, four digits
    config: TrainConfig  # its own seed does not matter
    values: Mapping[str, Value]  # the hyperparameters, for TensorBoard
    seeds: Sequence[int]  # one training each
    folder: Path  # the trial's; used where the worker can see it
    objective: str  # column of the history that trials are ranked by
    sign: float  # 1 where more is better, -1 where less is
    epochs_now: int | None = None  # pause after so many; None trains to the end
    # Seed -> state of the trial to continue; empty starts anew.
    checkpoints: Mapping[int, bytes] = dataclasses.field(default_factory=dict)
    limits: Sequence[float | None] = ()  # per epoch, what the best value must reach
    tensorboard: bool = False  # write TensorBoard logs


@dataclasses.dataclass(frozen=True, kw_only=True)
class Repeat:
    """One training seed of a trial."""

    seed: int  # of weights, dropout and batch order
    rows: list[Json]  # the history, one row per epoch
    best: int  # position of the epoch whose weights count
    # Of the validation images, `(m,)`; by heads that had not seen them, if asked for.
    logits: NDArray[np.float32]
    weights: list[NDArray[Any]]  # the head's arrays
    seconds: float  # of training
    stopped: bool = False  # the median rule ended it
    engine: str = ""  # name and version of what computed the features
    unseen: Mapping[str, float] | None = None  # AUC of families left out, if asked for

    def summary(self) -> Json:
        """Return its entry in trial.json."""
        row = self.rows[self.best]
        return {
            "seed": self.seed,
            "epochs": len(self.rows),
            "kept_epoch": row["epoch"],
            **{name: row[name] for name in METRICS},
            **self._unseen(),
            "engine": self.engine,
            "seconds": round(self.seconds, 3),
            "stopped": self.stopped,
        }

    def _unseen(self) -> dict[str, Any]:
        if self.unseen is None:
            return {}
        aucs = dict(self.unseen)
        mean = sum(aucs.values()) / len(aucs)
        return {"val_auc_unseen": mean, "unseen": aucs}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """The trainings of a trial, one per seed, or the reason why it failed."""

    repeats: Sequence[Repeat] = ()
    message: str = ""
    seconds: float = 0.0  # all of it, features included
    # Seed -> file content, where the trial's folder was out of reach.
    checkpoints: Mapping[int, bytes] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """The content of trial.json."""

    trial_id: str  # its number, four digits
    values: Mapping[str, Value]  # of hyperparameters, Hyperband's own included
    status: str  # COMPLETED, FAILED or RUNNING
    score: float | None = None  # mean of the objective over the repeats
    message: str = ""  # why it failed
    repeats: Sequence[Json] = ()  # one summary per training seed
    config: Json | None = None  # None where the values stand for no run
    seconds: float = 0.0  # all of the trial, features included

    @property
    def own_values(self) -> Values:
        """The values without Hyperband's."""
        return {k: v for k, v in self.values.items() if not k.startswith(RESERVED)}

    @property
    def epochs_now(self) -> int | None:
        """Epochs after which Hyperband pauses it; None trains to the end."""
        epochs = self.values.get(EPOCHS)
        return None if epochs is None else int(epochs)

    @property
    def stopped(self) -> bool:
        """Whether the median rule ended it."""
        return any(each["stopped"] for each in self.repeats)

    @property
    def partial(self) -> bool:
        """Whether it ended before its training did: `train` cannot repeat it.

        Hyperband's early rounds and trials that the median rule stopped.
        """
        now, config = self.epochs_now, self.config or {}
        if now is None or now >= config.get("epochs", 0):
            return self.stopped
        patience = config.get("patience") or math.inf
        return self.stopped or any(
            each["epochs"] >= now and each["epochs"] - each["kept_epoch"] < patience
            for each in self.repeats
        )


def ranked(trials: Iterable[Trial], direction: str) -> list[Trial]:
    """Return the trials with a score, best (`max` or `min`) first; the earlier where equal.

    Those that ended before their training did come last: nobody can train them again.
    """
    sign = -1.0 if direction == "max" else 1.0
    scored = [
        (one.partial, sign * one.score, one.trial_id, one)
        for one in trials
        if one.score is not None
    ]
    return [one for *_, one in sorted(scored, key=lambda entry: entry[:3])]


def folder_of(study: Path, trial_id: str) -> Path:
    """Return a trial's folder, named as KerasTuner names it."""
    return study / f"trial_{trial_id}"


def checkpoint_of(folder: Path, seed: int) -> Path:
    """Return the file that holds the state of an unfinished training."""
    return folder / f"checkpoint-{seed}.npz"


def begin(study: Path, state: Json) -> None:
    """Write a trial that has values and no result: KerasTuner's state of it."""
    write_json(folder_of(study, state["trial_id"]) / "trial.json", state)


def finish(
    study: Path,
    state: Json,
    result: Result,
    config: Json | None,
) -> Trial:
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
