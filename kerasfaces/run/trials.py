"""The trials of a study folder: what is known of them, and the files that hold it.

Each file is written whole or not at all; `kerasfaces.tune` lists them.
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

METRICS = ("loss", "val_auc", "val_accuracy", "val_loss")  # of the epoch that counts
COMPLETED, FAILED, RUNNING = "COMPLETED", "FAILED", "RUNNING"
Values = dict[str, Value]  # by name
RESERVED = "tuner/"  # names of Hyperband's own values
EPOCHS = "tuner/epochs"  # KerasTuner's name for Hyperband's share of the epochs
LABELS = "val_labels.npy"
_AGAIN = "run the same command: that trial is trained again, the others are not touched"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Repeat:
    """One training seed of a trial."""

    summary: Json  # its entry in trial.json
    rows: list[Json]  # the history, one row per epoch
    # Of the validation images, `(m,)`; by heads that had not seen them, if asked for.
    logits: NDArray[np.float32]
    weights: list[NDArray[Any]]  # the head's arrays


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


def ranked(trials: Iterable[Trial], sign: float) -> list[Trial]:
    """Return the trials with a score, best first; the earlier where equal.

    More is better by `sign` 1, less by -1. Those that ended before their training did come
    last: nobody can train them again.
    """
    scored = [(-sign * one.score, one) for one in trials if one.score is not None]
    scored.sort(key=lambda entry: (entry[1].partial, entry[0], entry[1].trial_id))
    return [one for _, one in scored]


def folder_of(study: Path, trial_id: str) -> Path:
    """Return a trial's folder, named as KerasTuner names it."""
    return study / f"trial_{trial_id}"


def checkpoint_of(folder: Path, seed: int) -> Path:
    """Return the file that holds the state of an unfinished training."""
    return folder / f"checkpoint-{seed}.npz"


def checkpoints(folder: Path, seeds: Sequence[int]) -> dict[int, bytes]:
    """Return seed -> content of the checkpoints that are there."""
    files = {seed: checkpoint_of(folder, seed) for seed in seeds}
    return {seed: file.read_bytes() for seed, file in files.items() if file.exists()}


def write_checkpoint(folder: Path, seed: int, content: bytes) -> None:
    """Write a seed's checkpoint."""
    with atomic_path(checkpoint_of(folder, seed)) as temporary:
        temporary.write_bytes(content)


def write(study: Path, state: Json) -> Trial:
    """Write KerasTuner's state of a trial, and ours once it is over; return both."""
    path = folder_of(study, state["trial_id"]) / "trial.json"
    write_json(path, state)
    return load(path)


def finish(study: Path, state: Json, result: Result, config: Json | None) -> Trial:
    """Write a trial's result and KerasTuner's state; with trial.json the trial is over."""
    folder = folder_of(study, state["trial_id"])
    if result.repeats:
        by_seed = {one.summary["seed"]: one for one in result.repeats}
        rows = [{"seed": s, **row} for s, one in by_seed.items() for row in one.rows]
        table = pd.DataFrame(rows).drop(columns="phase", errors="ignore")
        write_text(folder / "history.csv", table.to_csv(index=False))
        validated = {f"seed_{s}": one.logits for s, one in by_seed.items()}
        arrays.write(folder / "logits.npz", validated)
        weights = {
            f"seed_{s}_{i}": array
            for s, one in by_seed.items()
            for i, array in enumerate(one.weights)
        }
        arrays.write(folder / "weights.npz", weights)
    for seed, content in result.checkpoints.items():
        write_checkpoint(folder, seed, content)
    ours = {
        "repeats": [one.summary for one in result.repeats],
        "config": config,
        "seconds": round(result.seconds, 3),
    }
    trial = write(study, state | ours)
    (folder / "progress.json").unlink(missing_ok=True)
    return trial


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
    try:
        table = pd.read_csv(path)
        numbers = table.reindex(columns=["seed", "epoch", *METRICS])
        if not np.isfinite(numbers).all(axis=None):
            raise ValueError("numbers are missing")
    except (ValueError, TypeError) as error:  # pandas' own errors are ValueErrors
        raise _damaged(path, error) from error
    return table


def _damaged(path: Path, error: Exception) -> RunError:
    return RunError(
        f"{path} is damaged ({error}); delete the folder {path.parent} and {_AGAIN}."
    )


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


def read_progress(folder: Path) -> Json | None:
    """Return how far a trial is; None where it has not begun, or is over."""
    try:
        text = (folder / "progress.json").read_text(encoding="utf-8")
        progress: Json = json.loads(text)
    except (OSError, ValueError):
        return None
    return progress


def read_labels(folder: Path) -> NDArray[np.float32]:
    """Return the validation labels, `(m,)`, 1 = fake.

    Raises:
        RunError: The file is missing or damaged.
    """
    path = folder / LABELS
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
    with atomic_path(folder / LABELS) as temporary:
        np.save(temporary, labels)
