"""Images and features that heads are trained on, shared by all trials of a process.

Decoding, the frozen base and standardisation happen once; a trial asks for arrays that
are there already. Only the last few sets of features stay in memory, the rest is mapped.
"""

import dataclasses
from collections.abc import Iterable, Sequence

from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.features.cached import FeatureCache
from kerasfaces.features.readers import MEMORY_BYTES, InMemory, Joined, standardized
from kerasfaces.features.supersets import can_slice, slices
from kerasfaces.train import channels, heads
from kerasfaces.train import data as datasets
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data
from kerasfaces.train.examples import Examples
from kerasfaces.train.frozen_features import frozen_features
from kerasfaces.train.network_builder import NetworkBuilder
from kerasfaces.train.views import feature_readers, training_views
from kerasfaces.tune.components import Components


class FeatureSets:
    """The images and features of all trials."""

    def __init__(
        self,
        manifest: manifests.Manifest,
        components: Components,
        probes: Sequence[TrainConfig],
    ) -> None:
        """Compute nothing yet; `probes` are runs that show every value of every choice."""
        self._manifest, self._components = manifest, components
        self._candidates = [each.model for each in probes if can_slice(each.model)]
        self._data: dict[str, Data] = {}
        self._caches: dict[str, FeatureCache] = {}
        self._in_memory: dict[str, Examples] = {}  # the last used at the end

    def data(self, config: TrainConfig) -> Data:
        """Return the images or channels a configuration sees."""
        names, store = config.model.channel_names, self._components.store
        key = ",".join(names) if store else configs.digest(config.input_spec)
        if store is None or key not in self._data:
            channels.check(config, store)
        if key not in self._data:
            self._data[key] = (
                datasets.load(self._manifest, config.input_spec)
                if store is None
                else datasets.load_channels(self._manifest, store, names)
            )
        return self._data[key]

    def features(self, config: TrainConfig) -> Examples:
        """Return a configuration's features, standardised if its head wants them so."""
        described = configs.to_dict(config.model) | {
            "head": config.model.head.standardize,
            "views": config.views,
            "augment": configs.to_dict(config.augment) if config.views > 1 else None,
            "launder": config.launder,
            "input": configs.to_dict(config.input_spec),
        }
        key, sets = configs.digest(described), self._in_memory
        sets[key] = sets.pop(key) if key in sets else self._features(config)
        while len(sets) > 1 and _n_bytes(sets.values()) > MEMORY_BYTES:
            sets.pop(next(iter(sets)))
        return sets[key]

    def _features(self, config: TrainConfig) -> Examples:
        data = self.data(config)
        parts = [
            (self._cache(dataclasses.replace(config, model=model)), columns)
            for model, columns in slices(config.model, self._candidates)
        ]
        views = training_views(config, data, data.readable("train"))
        by_part = [(feature_readers(cache, views), at) for cache, at in parts]
        readers = [
            Joined([(every[i], at) for every, at in by_part]) for i in range(len(views))
        ]
        val_keys = data.keys(data.readable("val"))
        readers.append(Joined([(cache.reader(val_keys), at) for cache, at in parts]))
        standardize = config.model.head.standardize
        known = heads.moments(readers[:-1]) if standardize else None
        *of_views, of_val = standardized(readers, known)
        engine = " + ".join(sorted({cache.engine for cache, _ in parts}))
        return Examples.of(data, of_views, of_val, engine)

    def _cache(self, config: TrainConfig) -> FeatureCache:
        described = configs.to_dict(config.model) | {"head": None}
        key = configs.digest([described, configs.to_dict(config.input_spec)])
        if key not in self._caches:
            weights = self._components.loaded[config.model.name]
            builder, data = NetworkBuilder(config, weights), self.data(config)
            self._caches[key] = frozen_features(config, data, builder, weights)
        return self._caches[key]


def _n_bytes(sets: Iterable[Examples]) -> int:
    """Return how much memory features take."""
    readers = [reader for each in sets for reader in (*each.train, each.val)]
    return sum(each.values.nbytes for each in readers if isinstance(each, InMemory))
