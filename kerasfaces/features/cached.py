"""Features of images under one frozen extractor, kept in the cache.

The folder is named by everything that made the numbers: pixels' recipe, base weights
by hash, taps, pooling, scales, augmentation view, engine. A later run with the same
base reads them back; a killed one continues.
"""

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces import store
from kerasfaces.core import config, numerics
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.core.progress import progress
from kerasfaces.dataset.augment import Augment
from kerasfaces.dataset.channels import Arrays
from kerasfaces.dataset.views import AugmentConfig, parameters
from kerasfaces.features import engines

logger = logging.getLogger(__name__)

FEATURES_VERSION = 1  # raise whenever the same recipe gives other numbers
_SHARD_IMAGES = 512
VIEW_SEED = 0  # views are shared by all training seeds


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """One augmented view: 0 is the image itself."""

    number: int = 0
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)

    def recipe(self) -> dict[str, Any]:
        """Return what decides the changed pixels."""
        if self.number == 0:
            return {"number": 0}
        return {**dataclasses.asdict(self), "seed": VIEW_SEED}


class FeatureCache:
    """All views of one extractor's features.

    Attributes:
        engine: Name of the engine that computed, or would compute, the features.
    """

    def __init__(
        self,
        extractor: keras.Model | Callable[[], keras.Model],
        recipe: Mapping[str, Any],
        images: Arrays,
        converted: Callable[[], engines.Engine | None] | None = None,
    ) -> None:
        """Remember what to compute; nothing runs yet.

        Args:
            extractor: `(n, s, s, c)` -> `(n, features)`, frozen; or what builds it, called
                only if something has to be computed.
            recipe: What makes the extractor: architecture, weights by hash, taps ...
            images: The uint8 cache or the channel store the inputs come from.
            converted: Returns the extractor's engine if `engines.convert` was called before.
        """
        self._given, self._images = extractor, images
        numerics.refuse_changed()
        self._recipe = {
            "kind": "features",
            "version": FEATURES_VERSION,
            "images": images.recipe,
            "extractor": dict(recipe),
        }
        self._converted = converted
        self._engine: engines.Engine | None = None
        self.engine = ""
        self._asked: set[tuple[int, str]] = set()
        self._n_computed = 0

    def reader(self, keys: Sequence[str], view: View | None = None) -> store.Reader:
        """Return the features of images by position, computing what is missing.

        Args:
            keys: sha256 of images that are in that cache or store.
            view: Which augmented view; default is the image itself.
        """
        view = view or View()
        if not self.engine:
            self.engine = self._remembered()
        if not self.engine and keys:
            self._engine = self._measured(keys, view)
            self.engine = self._engine.name
        recipe = {**self._recipe, "engine": self.engine, "view": view.recipe()}
        folder = store.cache_folder("features", recipe)
        shape = self._shape(folder)
        with store.writing(folder, recipe, shape, "float32", wait=True) as features:
            missing = list(dict.fromkeys(key for key in keys if key not in features))
            self._asked |= {(view.number, key) for key in keys}
            self._n_computed += len(missing)
            if missing:
                self._compute(features, missing, view)
            return features.reader(keys)

    def look_at(self, images: Arrays) -> None:
        """Compute from another view of the same images from now on: a store that grew."""
        self._images = images

    @property
    def n_cached(self) -> int:
        """Return how many of the features asked for another run had computed."""
        return len(self._asked) - self._n_computed

    @property
    def _extractor(self) -> keras.Model:
        if not isinstance(self._given, keras.Model):
            self._given = self._given()
        return self._given

    def _shape(self, folder: Path) -> tuple[int]:
        """Return the shape of one image's features, from the store if there is one."""
        if (folder / "store.json").exists():
            return (store.Store(folder).shape[0],)
        return (int(self._extractor.output_shape[-1]),)

    def _compute(self, features: store.Store, missing: list[str], view: View) -> None:
        """Append the features of `missing`, a shard at a time."""
        label = "features" if view.number == 0 else f"features, view {view.number}"
        pixels = self._images.reader(missing)
        engine = self._engine = self._started(missing, view)
        step = engine.batch
        with progress(len(missing), label) as add:
            for start in range(0, len(missing), _SHARD_IMAGES):
                keys = missing[start : start + _SHARD_IMAGES]
                parts = []
                for low in range(0, len(keys), step):
                    positions = np.arange(low, min(low + step, len(keys))) + start
                    batch = self._view(pixels(positions), keys[low : low + step], view)
                    parts.append(self._extract(engine, batch))
                    add(len(positions))
                features.append(keys, np.concatenate(parts))

    def _remembered(self) -> str:
        """Return the engine that runs this base here, empty if that was not measured.

        One engine computes all features of a base: those of two differ by `TOLERANCE`.
        """
        names = engines.candidates()
        if engines.available() == ["keras"]:
            return names[0]
        path = self._choice_file()
        return str(read_json(path)["engine"]) if path.exists() else ""

    def _measured(self, keys: Sequence[str], view: View) -> engines.Engine:
        """Compare the engines on a few of the images, and remember the choice."""
        few = list(dict.fromkeys(keys))[: engines.COMPARED]
        pixels = self._images.reader(few)
        first = self._view(pixels(np.arange(len(few))), few, view)
        converted = self._converted() if self._converted else None
        engine = engines.choose(self._extractor, first, converted)
        write_json(self._choice_file(), {"engine": engine.name})
        return engine

    def _started(self, keys: Sequence[str], view: View) -> engines.Engine:
        """Return the engine at work.

        Raises:
            InputError: It agreed with Keras before and does not on these images.
        """
        if self._engine is not None:
            return self._engine
        if self.engine.startswith("keras "):
            return engines.keras_engine(self._extractor)
        engine = self._measured(keys, view)
        if engine.name != self.engine:
            raise InputError(
                f"{self.engine} agreed with Keras on other images and does not on these: "
                "run the same command again, and Keras computes all features."
            )
        return engine

    def _choice_file(self) -> Path:
        recipe = {"base": self._recipe["extractor"], "engines": engines.candidates()}
        return store.cache_root() / "engines" / f"{config.digest(recipe, 20)}.json"

    def _extract(
        self, engine: engines.Engine, batch: NDArray[Any]
    ) -> NDArray[np.float32]:
        values = engine.extract(batch)
        if not np.isfinite(values).all():
            raise InputError(
                f"{engine.name} gave features that are not finite: the base weights are "
                "damaged; get the file again."
            )
        return values

    def _view(
        self, batch: NDArray[Any], keys: Sequence[str], view: View
    ) -> NDArray[Any]:
        if view.number == 0:
            return batch
        rows = parameters(keys, batch.shape[1], view.number, view.augment, VIEW_SEED)
        return np.asarray(Augment()(batch.astype(np.float32), rows))


def base_recipe(
    model: Mapping[str, Any],
    weights: Mapping[str, str],
    scaling: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what identifies a frozen extractor.

    Args:
        model: The model's configuration as a dictionary. The head does not matter, nor
            which amplitude a store must hold, nor, where all is colours, how other
            channels would be treated.
        weights: `BaseWeights.describe()`; only the hash matters.
        scaling: Fitted input statistics, if the extractor has any.
    """
    left_out = {"head", "amplitude"}
    if model["inputs"] == ["rgb"]:
        left_out |= {"inputs", "gain", "standardize"}
    architecture = {
        **{key: value for key, value in model.items() if key != "options"},
        **model["options"],
    }
    for key in left_out & set(architecture):
        del architecture[key]
    recipe = {
        "model": config.digest(architecture),
        **architecture,
        "sha256": weights["sha256"],
    }
    return recipe if scaling is None else {**recipe, "scaling": dict(scaling)}
