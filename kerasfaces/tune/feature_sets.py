"""Images and features that heads are trained on, shared by all trials of a process.

Decoding, the frozen base and standardisation happen once; a trial asks for arrays that
are there already. Only the last few feature sets stay in memory, the rest is mapped.
"""

import dataclasses
from collections import OrderedDict
from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.features.cached import FeatureCache, base_recipe
from kerasfaces.features.readers import Joined, Reader
from kerasfaces.features.supersets import can_slice, slices, standardizes
from kerasfaces.models import catalogue, channel_layers, network
from kerasfaces.models.config import ModelConfig
from kerasfaces.train import channels, heads
from kerasfaces.train import data as datasets
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data
from kerasfaces.train.views import feature_readers, training_views
from kerasfaces.tune.components import Components

_MEMORY_BYTES = 2**30  # of features in memory


@dataclasses.dataclass(frozen=True)
class FeatureSet:
    """Features and labels that a head is trained on."""

    train: Sequence[Reader]  # one per view
    val: Reader
    train_labels: NDArray[np.float32]  # `(n,)`, 1 = fake
    val_labels: NDArray[np.float32]  # `(m,)`
    width: int  # number of features
    engine: str  # what computed them, see `FeatureCache`
    train_sources: Sequence[str] = ()  # `(n,)` names
    train_families: Sequence[str] = ()  # `(n,)` names
    val_families: Sequence[str] = ()  # `(m,)` names
    n_bytes: int = 0  # in memory


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
        self._in_memory: OrderedDict[str, FeatureSet] = OrderedDict()

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

    def features(self, config: TrainConfig) -> FeatureSet:
        """Return a configuration's features, standardised if its head wants them so."""
        described = configs.to_dict(config.model) | {
            "head": config.model.head.standardize,
            "views": config.views,
            "augment": configs.to_dict(config.augment) if config.views > 1 else None,
            "launder": config.launder,
            "input": configs.to_dict(config.input_spec),
        }
        key, sets = configs.digest(described), self._in_memory
        if key not in sets:
            sets[key] = self._features(config)
            while (
                len(sets) > 1 and sum(s.n_bytes for s in sets.values()) > _MEMORY_BYTES
            ):
                sets.popitem(last=False)
        sets.move_to_end(key)
        return sets[key]

    def _features(self, config: TrainConfig) -> FeatureSet:
        data = self.data(config)
        train, val = data.readable("train"), data.readable("val")
        parts = [
            (self._cache(dataclasses.replace(config, model=model)), columns)
            for model, columns in slices(config.model, self._candidates)
        ]

        views, val_keys = training_views(config, data, train), data.keys(val)
        by_part = [(feature_readers(cache, views), at) for cache, at in parts]
        readers = [
            Joined([(every[i], at) for every, at in by_part]) for i in range(len(views))
        ]
        readers.append(Joined([(cache.reader(val_keys), at) for cache, at in parts]))
        if config.model.head.standardize:
            mean, variance = heads.moments(readers[:-1])
            for each in readers:
                each.standardize(mean, variance)
        width = readers[0].shape[0]
        n_bytes = sum(4 * len(each) * width for each in readers)
        fits = n_bytes <= _MEMORY_BYTES
        *of_views, of_val = [each.in_memory() if fits else each for each in readers]
        return FeatureSet(
            train=of_views,
            val=of_val,
            train_labels=data.labels(train),
            val_labels=data.labels(val),
            width=width,
            engine=" + ".join(sorted({cache.engine for cache, _ in parts})),
            train_sources=data.sources(train),
            train_families=data.families(train),
            val_families=data.families(val),
            n_bytes=n_bytes if fits else 0,
        )

    def _cache(self, config: TrainConfig) -> FeatureCache:
        described = configs.to_dict(config.model) | {"head": None}
        key = configs.digest([described, configs.to_dict(config.input_spec)])
        if key not in self._caches:
            self._caches[key] = self._new_cache(config.model, self.data(config))
        return self._caches[key]

    def _new_cache(self, model: ModelConfig, data: Data) -> FeatureCache:
        weights = self._components.loaded[model.name]

        def build() -> keras.Model:
            built = catalogue.load(model.name).build(model, weights, 0)
            network.freeze(built)
            return built

        scaling, fitted = None, None
        if standardizes(model) and not model.is_rgb:
            # Features depend on statistics of the training images' channels.
            fitted = build()
            reader = data.images.store.reader(data.keys(data.readable("train")))
            channel_layers.fit_scaling(fitted, reader, len(reader))
            scaling = channel_layers.scaling_of(fitted)
        recipe = base_recipe(configs.to_dict(model), weights.describe(), scaling)
        return FeatureCache(
            lambda: network.extractor_of(fitted or build()), recipe, data.images.store
        )
