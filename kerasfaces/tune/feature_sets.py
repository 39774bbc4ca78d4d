"""Images and features that heads are trained on, shared by all trials of a process.

Decoding, the frozen base and standardisation happen once; a trial asks for arrays that
are there already. Only the last few feature sets stay in memory, the rest is mapped.
"""

import dataclasses
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.features.cached import FeatureCache, base_recipe
from kerasfaces.features.extraction import View
from kerasfaces.models import catalogue, channel_layers, network
from kerasfaces.train import channels, heads
from kerasfaces.train import data as datasets
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data
from kerasfaces.tune import supersets
from kerasfaces.tune.inventory import Inventory
from kerasfaces.tune.supersets import Slice, Supersets

_MEMORY_BYTES = 2**30  # of features in memory
_CHUNK = 2048


class InMemory:
    """Features in memory, read by position."""

    def __init__(self, values: NDArray[np.float32]) -> None:
        self.values, self.shape = values, values.shape[1:]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.values)

    def __call__(self, positions: NDArray[Any]) -> NDArray[np.float32]:
        """Return `(len(positions), n_features)`."""
        chosen: NDArray[np.float32] = self.values[positions]
        return chosen


class Joined:
    """Columns of several readers side by side, standardised on the way."""

    def __init__(self, parts: Sequence[tuple[Any, NDArray[np.int64] | None]]) -> None:
        self._parts = parts
        widths = [
            reader.shape[0] if columns is None else len(columns)
            for reader, columns in parts
        ]
        self.shape = (sum(widths),)
        self.mean: NDArray[np.float32] | None = None
        self.scale: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._parts[0][0])

    def __call__(self, positions: NDArray[Any]) -> NDArray[np.float32]:
        """Return `(len(positions), n_features)`."""
        values = [
            reader(positions) if columns is None else reader(positions)[:, columns]
            for reader, columns in self._parts
        ]
        joined = values[0] if len(values) == 1 else np.concatenate(values, axis=1)
        if self.mean is not None and self.scale is not None:
            joined = (joined - self.mean) * self.scale
        return np.asarray(joined, np.float32)

    @property
    def nbytes(self) -> int:
        """Size of all of it."""
        return 4 * len(self) * self.shape[0]

    def in_memory(self) -> InMemory:
        """Read all of it."""
        values = np.empty((len(self), *self.shape), np.float32)
        for start in range(0, len(self), _CHUNK):
            part = np.arange(start, min(start + _CHUNK, len(self)))
            values[part] = self(part)
        return InMemory(values)


@dataclasses.dataclass(frozen=True)
class FeatureSet:
    """What a head is trained on.

    Attributes:
        train: One reader per view.
        val: Validation images.
        train_labels: `(n,)` float32, 1 = fake.
        val_labels: `(m,)` float32.
        width: Number of features.
        engine: What computed them, see `FeatureCache`.
    """

    train: list[Any]
    val: Any
    train_labels: NDArray[np.float32]
    val_labels: NDArray[np.float32]
    width: int
    engine: str


class FeatureSets:
    """Everything trials read."""

    def __init__(
        self,
        manifest: manifests.Manifest,
        inventory: Inventory,
        probes: Sequence[TrainConfig],
    ) -> None:
        """Compute nothing yet.

        Args:
            manifest: With splits.
            inventory: Bases and channels.
            probes: Runs that show every value of every choice.
        """
        self._manifest, self._inventory = manifest, inventory
        self._supersets = Supersets(probes)
        self._data: dict[str, Data] = {}
        self._caches: dict[str, FeatureCache] = {}
        self._in_memory: OrderedDict[str, tuple[FeatureSet, int]] = OrderedDict()

    def data(self, config: TrainConfig) -> Data:
        """Return the images or channels a configuration sees."""
        names = config.model.channel_names
        if self._inventory.store is None:
            channels.check(config, None)
            key = configs.digest(configs.to_dict(config.input_spec))
        else:
            key = ",".join(names)
        if key not in self._data:
            channels.check(config, self._inventory.store)
            self._data[key] = (
                datasets.load(self._manifest, config.input_spec)
                if self._inventory.store is None
                else datasets.load_channels(
                    self._manifest, self._inventory.store, names
                )
            )
        return self._data[key]

    def features(self, config: TrainConfig) -> FeatureSet:
        """Return a configuration's features, standardised if its head wants them so."""
        described = configs.to_dict(config.model) | {
            "head": config.model.head.standardize,
            "views": config.views,
            "augment": configs.to_dict(config.augment) if config.views > 1 else None,
            "input": configs.to_dict(config.input_spec),
        }
        key = configs.digest(described)
        if key not in self._in_memory:
            self._in_memory[key] = self._features(config)
            while (
                sum(size for _, size in self._in_memory.values()) > _MEMORY_BYTES
                and len(self._in_memory) > 1
            ):
                self._in_memory.popitem(last=False)
        self._in_memory.move_to_end(key)
        return self._in_memory[key][0]

    def _features(self, config: TrainConfig) -> tuple[FeatureSet, int]:
        data = self.data(config)
        train, val = data.readable("train"), data.readable("val")
        views = [View(number=i, augment=config.augment) for i in range(config.views)]
        readers = [self._joined(config, data.keys(train), view) for view in views]
        val_reader = self._joined(config, data.keys(val), View())
        if config.model.head.standardize:
            mean, variance = heads.moments(readers)
            for each in (*readers, val_reader):
                each.mean = mean
                each.scale = (1.0 / np.sqrt(variance)).astype(np.float32)
        size = sum(reader.nbytes for reader in (*readers, val_reader))
        small = size <= _MEMORY_BYTES
        features = FeatureSet(
            [reader.in_memory() for reader in readers] if small else list(readers),
            val_reader.in_memory() if small else val_reader,
            data.labels(train),
            data.labels(val),
            val_reader.shape[0],
            self._engine(config),
        )
        return features, size if small else 0

    def _joined(self, config: TrainConfig, keys: list[str], view: View) -> Joined:
        parts = []
        for part in self._supersets.slices(config.model):
            cache = self._cache(config, part)
            parts.append((cache.reader(keys, view), part.columns))
        return Joined(parts)

    def _engine(self, config: TrainConfig) -> str:
        slices = self._supersets.slices(config.model)
        return " + ".join(sorted({self._cache(config, one).engine for one in slices}))

    def _cache(self, config: TrainConfig, part: Slice) -> FeatureCache:
        config = dataclasses.replace(config, model=part.model)
        data = self.data(config)
        described = configs.to_dict(part.model) | {"head": None}
        key = configs.digest([described, configs.to_dict(config.input_spec)])
        if key not in self._caches:
            self._caches[key] = self._new_cache(part, data)
        return self._caches[key]

    def _new_cache(self, part: Slice, data: Data) -> FeatureCache:
        name = part.model.name
        architecture = catalogue.load(name)
        weights = self._inventory.found[name]
        scaling, fitted = None, None

        def build() -> Any:
            model = architecture.build(part.model, weights, 0)
            network.freeze(model)
            return model

        if supersets.standardizes(part.model):
            fitted = build()
            reader = data.images.store.reader(data.keys(data.readable("train")))
            channel_layers.fit_scaling(fitted, reader, len(reader))
            scaling = channel_layers.scaling_of(fitted)
        recipe = base_recipe(configs.to_dict(part.model), weights.describe(), scaling)
        return FeatureCache(
            lambda: network.extractor_of(fitted or build()), recipe, data.images.store
        )
