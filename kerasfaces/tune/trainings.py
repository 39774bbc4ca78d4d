"""A trial to be trained, and what training it came to."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.train.config import TrainConfig

METRICS = ("loss", "val_auc", "val_accuracy", "val_loss")  # of the epoch that counts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """A trial, ready to be trained.

    Attributes:
        trial_id: Its number, four digits.
        config: What to train; its own seed does not matter.
        values: The hyperparameters, for TensorBoard.
        seeds: One training each.
        folder: The trial's; used where the worker can see it.
        objective: Column of the history that trials are ranked by.
        sign: 1 where more is better, -1 where less is.
        epochs_now: Pause after so many epochs; None trains to the end.
        checkpoints: Seed -> state of the trial to continue; empty starts anew.
        limits: Per epoch, what the best value must reach; None where anything will do.
        tensorboard: Write TensorBoard logs.
    """

    trial_id: str
    config: TrainConfig
    values: Mapping[str, Any]
    seeds: Sequence[int]
    folder: Path
    objective: str
    sign: float
    epochs_now: int | None = None
    checkpoints: Mapping[int, bytes] = dataclasses.field(default_factory=dict)
    limits: Sequence[float | None] = ()
    tensorboard: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Repeat:
    """One training seed of a trial.

    Attributes:
        seed: Of weights, dropout and batch order.
        rows: The history, one row per epoch.
        best: Position of the epoch whose weights count.
        logits: Of the validation images, `(m,)` float32.
        weights: The head's arrays.
        seconds: Of training.
        stopped: The median rule ended it.
        engine: What computed the features, with version.
    """

    seed: int
    rows: list[dict[str, Any]]
    best: int
    logits: NDArray[np.float32]
    weights: list[NDArray[Any]]
    seconds: float
    stopped: bool = False
    engine: str = ""

    def summary(self) -> dict[str, Any]:
        """Return its entry in trial.json."""
        row = self.rows[self.best]
        return {
            "seed": self.seed,
            "epochs": len(self.rows),
            "kept_epoch": row["epoch"],
            **{name: row[name] for name in METRICS},
            "engine": self.engine,
            "seconds": round(self.seconds, 3),
            "stopped": self.stopped,
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What training a trial came to.

    Attributes:
        repeats: One per training seed; empty where it failed.
        message: Why it failed; empty where it did not.
        seconds: All of it, features included.
        checkpoints: Seed -> file content, where the trial's folder was out of reach.
    """

    repeats: Sequence[Repeat] = ()
    message: str = ""
    seconds: float = 0.0
    checkpoints: Mapping[int, bytes] = dataclasses.field(default_factory=dict)
