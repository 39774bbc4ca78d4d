"""What workers do in a study: a task of the engine that trains one trial.

A node of a cluster needs this package with the extra `tune`, and the images (or the
channel store) and the weights under the same paths as here, or in its cache. Features go
into the cache, which nodes may share: the folder KERASFACES_CACHE, where it is set here.
"""

import dataclasses
import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import numerics
from kerasfaces.core.imports import import_keras
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:
    from kerasfaces.tune.feature_sets import FeatureSets
    from kerasfaces.tune.trainer import Trainer

METRICS = ("loss", "val_auc", "val_accuracy", "val_loss")  # of the epoch that counts
_PASSED_ON = ("KERASFACES_CACHE", "KERAS_BACKEND", "KERASFACES_COMMAND")


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


class TrainTrial:
    """Trains trials; what they read is loaded once per worker."""

    def __init__(self, *sources: Any) -> None:
        """Load nothing yet.

        Args:
            sources: Of `FeatureSets`.
        """
        self._sources = sources
        self._environment = {
            name: os.environ[name] for name in _PASSED_ON if name in os.environ
        }
        self._pickled = b""
        self._feature_sets: FeatureSets | None = None
        self._trainer: Trainer | None = None

    @property
    def feature_sets(self) -> "FeatureSets":
        """Return the images and features of this process."""
        if self._feature_sets is None:
            from kerasfaces.tune.feature_sets import FeatureSets

            self._feature_sets = FeatureSets(*self._sources)
        return self._feature_sets

    def __call__(self, training: Training) -> Result:
        """Return a trial's result."""
        if self._trainer is None:
            if self._pickled:
                self._begin()
            from kerasfaces.tune.trainer import Trainer

            self._trainer = Trainer(self.feature_sets)
        return self._trainer.train(training)

    def __getstate__(self) -> dict[str, Any]:
        """Return what to load, not what is loaded."""
        # Unpickled when Keras is there: the sources' classes would import it too early.
        pickled = self._pickled or pickle.dumps(self._sources)
        return {"environment": self._environment, "pickled": pickled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what to load."""
        self.__init__()  # type: ignore[misc]
        self._environment, self._pickled = state["environment"], state["pickled"]

    def _begin(self) -> None:
        """Set the environment as in the driver, import Keras, unpickle the sources."""
        os.environ.update(self._environment)
        if "KERASFACES_COMMAND" in self._environment:
            numerics.settle_environment()
        import_keras()
        self._sources, self._pickled = pickle.loads(self._pickled), b""
