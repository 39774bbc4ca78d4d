"""The task of the engine that trains one trial, and what it is given.

A node of a cluster needs this package with the extra `tune`, and the images (or the
channel store) and the weights under the same paths as here, or in its cache. Features go
into the cache, which nodes may share: the folder KERASFACES_CACHE, where it is set here.
"""

import dataclasses
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasfaces.core import numerics
from kerasfaces.core.imports import import_keras
from kerasfaces.metrics.main_effects import Value
from kerasfaces.run.trials import Result
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:
    from kerasfaces.tune.trainer import Trainer


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


class TrainTrial:
    """Trains trials; the images and features they read are loaded once per worker."""

    def __init__(self, *sources: Any) -> None:  # the arguments of `FeatureSets`
        self._sources = sources

    @cached_property
    def trainer(self) -> "Trainer":
        """The trainer of this process, with its images and features."""
        from kerasfaces.tune.feature_sets import FeatureSets
        from kerasfaces.tune.trainer import Trainer

        return Trainer(FeatureSets(*self._sources))

    def __call__(self, training: Training) -> Result:
        """Return a trial's result."""
        return self.trainer.train(training)

    def __reduce__(
        self,
    ) -> tuple["Callable[..., TrainTrial]", tuple[str | None, bytes]]:
        """Pickle what to load, not what is loaded."""
        cache = os.environ.get("KERASFACES_CACHE")
        return _unpickled, (cache, pickle.dumps(self._sources))


def _unpickled(cache: str | None, sources: bytes) -> TrainTrial:
    """Take the driver's cache, settle the environment, import Keras, then unpickle."""
    if cache is not None:
        os.environ["KERASFACES_CACHE"] = cache
    if "KERASFACES_COMMAND" in os.environ:  # the engine hands it on
        numerics.settle_environment()
    import_keras()  # else the sources' classes would import it too early
    return TrainTrial(*pickle.loads(sources))
