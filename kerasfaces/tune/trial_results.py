"""A trial: what a worker gets, what its training gives, and what is known of it."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.files import Json
from kerasfaces.metrics.main_effects import Value
from kerasfaces.train.config import TrainConfig

METRICS = ("loss", "val_auc", "val_accuracy", "val_loss")  # of the epoch that counts
COMPLETED, FAILED, RUNNING = "COMPLETED", "FAILED", "RUNNING"
Values = dict[str, Value]  # by name
RESERVED = "tuner/"  # names of Hyperband's own values
EPOCHS = "tuner/epochs"  # KerasTuner's name for Hyperband's share of the epochs


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
