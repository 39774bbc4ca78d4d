"""Features of images under one frozen extractor, kept in the cache.

The folder is named by everything that made the numbers: pixels' recipe, base weights
by hash, taps, pooling, scales, augmentation view, engine. A later run with the same
base reads them back; a killed one continues.
"""

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces import store
from kerasfaces.core import config, engine, numerics
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json, read_json, write_json
from kerasfaces.core.progress import progress
from kerasfaces.dataset.channels import Arrays
from kerasfaces.features import engines
from kerasfaces.features.extraction import ITEM_IMAGES, Extract, Item, View
from kerasfaces.features.readers import Columns

logger = logging.getLogger(__name__)

FEATURES_VERSION = 1  # raise whenever the same recipe gives other numbers
_SHARD_IMAGES = 512


class FeatureCache:
    """All views of one extractor's features; nothing runs before they are asked for.

    Args:
        extractor: `(n, s, s, c)` -> `(n, features)`, frozen; or what builds it, called
            only if something has to be computed.
        recipe: What makes the extractor: architecture, weights by hash, taps ...
        images: The uint8 cache or the channel store the inputs come from.
        converted: Returns the extractor's engine if `engines.convert` was called before.
        spread: Where features are computed; on this machine this process does it, with
            all cores, unless `workers` says otherwise.

    Attributes:
        engine: Name of the engine that computed, or would compute, the features.
    """

    def __init__(
        self,
        extractor: keras.Model | Callable[[], keras.Model],
        recipe: Json,
        images: Arrays,
        converted: Callable[[], engines.Engine | None] | None = None,
        spread: Engine | None = None,
    ) -> None:
        self._source, self._images = extractor, images
        numerics.refuse_changed()
        self._recipe: Json = {
            "kind": "features",
            "version": FEATURES_VERSION,
            "images": images.recipe,
            "extractor": dict(recipe),
        }
        self._converted = converted
        self._spread = (spread or Engine()).or_in_process()
        self._engine: engines.Engine | None = None
        self.engine = ""
        self._asked: set[tuple[int, str]] = set()
        self._n_computed = 0
        self._others: list[FeatureCache] = []

    def reader(self, keys: Sequence[str], view: View | None = None) -> store.Reader:
        """Return the features of images by position, computing what is missing.

        Args:
            keys: sha256 of images that are in that cache or store.
            view: Default is the image itself.
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

    def extract(self, arrays: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features of arrays that no store keeps, `(n, features)` float32.

        Args:
            arrays: `(n, s, s, c)`, at least one; the engine is chosen by them if it is not yet.
        """
        if self._engine is None:
            name = self.engine or self._remembered()
            if name.startswith("keras "):
                self._engine = engines.keras_engine(self._extractor)
            else:
                self._engine = self._chosen(arrays[: engines.COMPARED])
            self.engine = self._engine.name
        task = Extract(self._extractor, self.engine, View()).by(self._engine)
        return task(Item([""] * len(arrays), arrays))

    def look_at(self, images: Arrays) -> None:
        """Compute from another view of the same images from now on: a store that grew."""
        self._images = images

    def of(self, images: Arrays) -> "FeatureCache":
        """Return the same extractor's features of other images, by the same engine.

        Args:
            images: Where they are, e.g. laundered views of the same pictures.
        """
        recipe, spread = self._recipe["extractor"], self._spread
        other = FeatureCache(
            lambda: self._extractor, recipe, images, self._converted, spread
        )
        other._engine, other.engine = self._engine, self.engine
        self._others.append(other)
        return other

    def take_over(
        self,
        other: "FeatureCache",
        columns: Columns,
        keys: Sequence[str],
        view: View | None = None,
    ) -> None:
        """Keep columns of another's features as this extractor's: the base need not run.

        Args:
            other: Of the same base and engine, with more layers.
            columns: Where this extractor's features are among its.
            keys: sha256 of images.
            view: Default is the image itself.
        """
        view = view or View()
        every = other.reader(keys, view)
        self.engine = other.engine
        recipe = {**self._recipe, "engine": self.engine, "view": view.recipe()}
        folder, shape = store.cache_folder("features", recipe), (len(columns),)
        with store.writing(folder, recipe, shape, "float32", wait=True) as features:
            first = {key: at for at, key in reversed(list(enumerate(keys)))}
            missing = [(key, at) for key, at in first.items() if key not in features]
            for start in range(0, len(missing), _SHARD_IMAGES):
                part = missing[start : start + _SHARD_IMAGES]
                rows = every(np.array([at for _, at in part]))
                features.append([key for key, _ in part], rows[:, columns])

    @property
    def n_cached(self) -> int:
        """Return how many of the features asked for another run had computed."""
        own = len(self._asked) - self._n_computed
        return own + sum(other.n_cached for other in self._others)

    @property
    def _extractor(self) -> keras.Model:
        if not isinstance(self._source, keras.Model):
            self._source = self._source()
        return self._source

    def _shape(self, folder: Path) -> tuple[int]:
        """Return the shape of one image's features, from the store if there is one."""
        if (folder / "store.json").exists():
            return (store.Store(folder).shape[0],)
        return (int(self._extractor.output_shape[-1]),)

    def _compute(self, features: store.Store, missing: list[str], view: View) -> None:
        label = "features" if view.number == 0 else f"features, view {view.number}"
        pixels = self._images.reader(missing)
        self._engine = self._started(missing, view)
        task = Extract(self._extractor, self.engine, view).by(self._engine)

        def load(start: int) -> Item:
            keys = missing[start : start + ITEM_IMAGES]
            return Item(keys, pixels(np.arange(start, start + len(keys))))

        starts = range(0, len(missing), ITEM_IMAGES)
        outcomes = engine.map(task, starts, spread=self._spread, load=load)
        parts: list[NDArray[np.float32]] = []
        with contextlib.closing(outcomes), progress(len(missing), label) as add:
            for start, outcome in zip(starts, outcomes, strict=True):
                if outcome.value is None:
                    raise RunError(
                        f"The features of image {missing[start][:12]} and those after it cannot "
                        f"be computed: {outcome.error}. What is finished is kept."
                    )
                parts.append(outcome.value)
                end = start + len(outcome.value)
                if end % _SHARD_IMAGES == 0 or end == len(missing):
                    first = (end - 1) // _SHARD_IMAGES * _SHARD_IMAGES
                    features.append(missing[first:end], np.concatenate(parts))
                    parts = []
                add(len(outcome.value))

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
        return self._chosen(view.of(pixels(np.arange(len(few))), few))

    def _chosen(self, first: NDArray[Any]) -> engines.Engine:
        converted = self._converted() if self._converted else None
        chosen = engines.choose(self._extractor, first, converted)
        write_json(self._choice_file(), {"engine": chosen.name})
        return chosen

    def _started(self, keys: Sequence[str], view: View) -> engines.Engine:
        """Return the engine at work."""
        if self._engine is not None:
            return self._engine
        if self.engine.startswith("keras "):
            return engines.keras_engine(self._extractor)
        measured = self._measured(keys, view)
        if measured.name != self.engine:
            raise InputError(
                f"{self.engine} agreed with Keras on other images and does not on these: "
                "run the same command again, and Keras computes all features."
            )
        return measured

    def _choice_file(self) -> Path:
        recipe = {"base": self._recipe["extractor"], "engines": engines.candidates()}
        return store.cache_root() / "engines" / f"{config.digest(recipe, 20)}.json"


def base_recipe(
    model: Json,
    weights: Mapping[str, str],
    scaling: Json | None = None,
) -> Json:
    """Return what identifies a frozen extractor.

    Args:
        model: The model's configuration as a dictionary. The head does not matter, nor
            which amplitude a store must hold, nor, where all is colours, how other
            channels would be treated.
        weights: `BaseWeights.describe()`; only the hash matters.
        scaling: Fitted input statistics, if the extractor has any.
    """
    left_out = {"options", "head", "amplitude"}
    if model["inputs"] == ["rgb"]:
        left_out |= {"inputs", "gain", "standardize"}
    if model["options"].get("residual", "none") == "none":
        left_out |= {"residual", "residual_gain"}
    if not model.get("crops"):
        left_out |= {"crops"}  # features of whole pictures are known from before
    fields = {**model, **model["options"]}
    architecture = {key: fields[key] for key in fields if key not in left_out}
    model_digest, sha256 = config.digest(architecture), weights["sha256"]
    recipe = {"model": model_digest, **architecture, "sha256": sha256}
    return recipe if scaling is None else {**recipe, "scaling": dict(scaling)}
