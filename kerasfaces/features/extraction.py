"""Arrays of images -> features by a frozen extractor, here or on a worker.

Everyone computes with the engine that the driver chose, or refuses. Batches are cut from
what an item holds, so features do not depend on where it is computed.
"""

import dataclasses
import functools
import importlib
import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.imports import import_keras
from kerasfaces.dataset.views import AugmentConfig, parameters

if TYPE_CHECKING:
    import keras

    from kerasfaces.features import engines

VIEW_SEED = 0  # views are shared by all training seeds
ITEM_IMAGES = 64  # a multiple of every engine's batch


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """One augmented view: 0 is the image itself."""

    number: int = 0
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)

    def recipe(self) -> Json:
        """Return what decides the changed pixels."""
        if self.number == 0:
            return {"number": 0}
        return {**dataclasses.asdict(self), "seed": VIEW_SEED}

    def of(self, batch: NDArray[Any], keys: Sequence[str]) -> NDArray[Any]:
        """Return this view of images `(n, s, s, c)`; their sha256 decide the changes."""
        if self.number == 0:
            return batch
        from kerasfaces.dataset.augment import Augment

        side_px = batch.shape[2]
        rows = parameters(keys, side_px, self.number, self.augment, VIEW_SEED)
        # Crops stand one below the other, and all change alike.
        squares = batch.reshape(-1, side_px, *batch.shape[2:]).astype(np.float32)
        rows = np.repeat(rows, len(squares) // len(batch), axis=0)
        return np.asarray(Augment()(squares, rows)).reshape(batch.shape)


@dataclasses.dataclass(frozen=True)
class Item:
    """A few images: their sha256 and arrays `(n, s, s, c)`."""

    keys: Sequence[str]
    arrays: NDArray[Any]


class Extract:
    """The task: an item's features `(n, features)` float32.

    Args:
        extractor: `(n, s, s, c)` -> `(n, features)`; converted for the engine when used.
        engine: Full name of the engine that the driver chose.
        view: Which augmented view of the images is extracted.
    """

    def __init__(self, extractor: "keras.Model", engine: str, view: View) -> None:
        self._extractor, self._name, self._view = extractor, engine, view

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the extractor as bytes: Keras and layers must be imported before it."""
        modules = sorted(_modules(self._extractor))
        content = pickle.dumps(self._extractor)
        return _extract, (modules, content, self._name, self._view)

    def by(self, engine: "engines.Engine") -> "Extract":
        """Use an engine that is ready."""
        self._engine = engine
        return self

    def __call__(self, item: Item) -> NDArray[np.float32]:
        """Return the features of an item."""
        engine, parts = self._engine, []
        for low in range(0, len(item.keys), engine.batch):
            part = slice(low, low + engine.batch)
            values = engine.extract(self._view.of(item.arrays[part], item.keys[part]))
            if not np.isfinite(values).all():
                raise InputError(
                    f"{engine.name} gave features that are not finite: the base weights are "
                    "damaged; get the file again."
                )
            parts.append(values)
        return np.concatenate(parts)

    @functools.cached_property
    def _engine(self) -> "engines.Engine":
        from kerasfaces.features import engines

        engine = None
        if not self._name.startswith("keras "):
            engine = engines.convert(self._extractor)
        engine = engine or engines.keras_engine(self._extractor)
        if engine.name != self._name:
            raise InputError(
                f"features are computed by {self._name}, and here it would be by "
                f"{engine.name}; install the same versions on every node."
            )
        return engine


def _modules(model: "keras.Model") -> set[str]:
    """Return the modules of all layers in a model, inner models too."""
    names = {type(model).__module__}
    for layer in getattr(model, "layers", ()):
        names |= _modules(layer)
    return names


def _extract(
    modules: Sequence[str], extractor: bytes, engine: str, view: View
) -> Extract:
    import_keras()
    for name in modules:
        importlib.import_module(name)
    return Extract(pickle.loads(extractor), engine, view)
