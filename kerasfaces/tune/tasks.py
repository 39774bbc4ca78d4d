"""The task of the engine that trains one trial.

A node of a cluster needs this package with the extra `tune`, and the images (or the
channel store) and the weights under the same paths as here, or in its cache. Features go
into the cache, which nodes may share: the folder KERASFACES_CACHE, where it is set here.
"""

import os
import pickle
from typing import TYPE_CHECKING, Any

from kerasfaces.core import numerics
from kerasfaces.core.imports import import_keras
from kerasfaces.tune.trial_results import Result, Training

if TYPE_CHECKING:
    from kerasfaces.tune.feature_sets import FeatureSets
    from kerasfaces.tune.trainer import Trainer

_PASSED_ON = ("KERASFACES_CACHE", "KERAS_BACKEND", "KERASFACES_COMMAND")


class TrainTrial:
    """Trains trials; the images and features they read are loaded once per worker."""

    def __init__(self, *sources: Any) -> None:
        """Load nothing yet; `sources` are the arguments of `FeatureSets`."""
        self._sources = sources
        self._environment = {
            name: os.environ[name] for name in _PASSED_ON if name in os.environ
        }
        self._pickled = b""
        self._feature_sets: FeatureSets | None = None
        self._trainer: Trainer | None = None

    @property
    def feature_sets(self) -> "FeatureSets":
        """The images and features of this process, a `FeatureSets`."""
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
