"""Images and features that heads are trained on, shared by all trials of a process.

Decoding, the frozen base and standardisation happen once; a trial asks for arrays that
are there already. Only the last few feature sets stay in memory, the rest is mapped.

Candidates that differ in taps, pooling or scales alone are columns of one superset, so the
base runs once for all of them. Where one candidate holds all the others, or all agree, the
superset is what `train` itself computes for it: either finds the other's in the cache.
"""

import dataclasses
import functools
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.features.cached import FeatureCache, base_recipe
from kerasfaces.models import catalogue, channel_layers, network
from kerasfaces.models.config import ModelConfig, Options, ViewOptions
from kerasfaces.train import channels, heads
from kerasfaces.train import data as datasets
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data
from kerasfaces.train.views import feature_readers, training_views
from kerasfaces.tune.components import Components

Columns = NDArray[np.int64]
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

    def __init__(self, parts: Sequence[tuple[Any, Columns | None]]) -> None:
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

    def in_memory(self) -> InMemory:
        """Read all of it."""
        values = np.empty((len(self), *self.shape), np.float32)
        for start in range(0, len(self), _CHUNK):
            part = np.arange(start, min(start + _CHUNK, len(self)))
            values[part] = self(part)
        return InMemory(values)


@dataclasses.dataclass(frozen=True)
class FeatureSet:
    """Features and labels that a head is trained on."""

    train: list[Any]  # one reader per view
    val: Any  # a reader of the validation images
    train_labels: NDArray[np.float32]  # `(n,)`, 1 = fake
    val_labels: NDArray[np.float32]  # `(m,)`
    width: int  # number of features
    engine: str  # what computed them, see `FeatureCache`
    train_sources: Sequence[str] = ()  # `(n,)` names


class FeatureSets:
    """Everything trials read."""

    def __init__(
        self,
        manifest: manifests.Manifest,
        components: Components,
        probes: Sequence[TrainConfig],
    ) -> None:
        """Compute nothing yet; `probes` are runs that show every value of every choice."""
        self._manifest, self._components = manifest, components
        self._candidates = [each.model for each in probes if _can_slice(each.model)]
        self._data: dict[str, Data] = {}
        self._caches: dict[str, FeatureCache] = {}
        self._in_memory: OrderedDict[str, tuple[FeatureSet, int]] = OrderedDict()

    def data(self, config: TrainConfig) -> Data:
        """Return the images or channels a configuration sees."""
        names, store = config.model.channel_names, self._components.store
        spec = configs.to_dict(config.input_spec)
        key = configs.digest(spec) if store is None else ",".join(names)
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
        """Return features, and their bytes in memory."""
        data = self.data(config)
        train, val = data.readable("train"), data.readable("val")
        parts = [
            (self._cache(dataclasses.replace(config, model=model)), columns)
            for model, columns in slices(config.model, self._candidates)
        ]

        views = training_views(config, data, train)
        by_part = [(feature_readers(cache, views), at) for cache, at in parts]
        readers = [
            Joined([(every[i], at) for every, at in by_part]) for i in range(len(views))
        ]
        val_keys = data.keys(val)
        val_reader = Joined([(cache.reader(val_keys), at) for cache, at in parts])
        if config.model.head.standardize:
            mean, variance = heads.moments(readers)
            for each in (*readers, val_reader):
                each.mean = mean
                each.scale = (1.0 / np.sqrt(variance)).astype(np.float32)
        width = val_reader.shape[0]
        size = sum(4 * len(each) * width for each in (*readers, val_reader))
        small = size <= _MEMORY_BYTES
        features = FeatureSet(
            [reader.in_memory() for reader in readers] if small else list(readers),
            val_reader.in_memory() if small else val_reader,
            data.labels(train),
            data.labels(val),
            width,
            " + ".join(sorted({cache.engine for cache, _ in parts})),
            data.sources(train),
        )
        return features, size if small else 0

    def _cache(self, config: TrainConfig) -> FeatureCache:
        described = configs.to_dict(config.model)
        spec = configs.to_dict(config.input_spec)
        key = configs.digest([described | {"head": None}, spec])
        if key not in self._caches:
            self._caches[key] = self._new_cache(config.model, self.data(config))
        return self._caches[key]

    def _new_cache(self, model: ModelConfig, data: Data) -> FeatureCache:
        weights = self._components.loaded[model.name]

        def build() -> Any:
            built = catalogue.load(model.name).build(model, weights, 0)
            network.freeze(built)
            return built

        scaling, fitted = None, None
        if _standardizes(model) and not model.is_rgb:
            # Features depend on statistics of the training images' channels.
            fitted = build()
            reader = data.images.store.reader(data.keys(data.readable("train")))
            channel_layers.fit_scaling(fitted, reader, len(reader))
            scaling = channel_layers.scaling_of(fitted)
        recipe = base_recipe(configs.to_dict(model), weights.describe(), scaling)
        return FeatureCache(
            lambda: network.extractor_of(fitted or build()), recipe, data.images.store
        )


def slices(
    model: ModelConfig, candidates: Sequence[ModelConfig]
) -> list[tuple[ModelConfig, Columns | None]]:
    """Return extractors and which of their features to put side by side; None is all.

    `candidates` show every value of every choice.

    Raises:
        InputError: The base has no such layer.
    """
    same_base = [each for each in candidates if each.name == model.name]
    variants = {(m.taps, m.pooling, m.scales, m.inputs) for m in same_base}
    if not _can_slice(model) or len(variants) < 2:
        return [(model, None)]
    last, widths = _layers(model.name, model.options)
    wanted = [tap or last for tap in model.taps or ("",)]
    unknown = [tap for tap in wanted if tap not in widths]
    if unknown:
        raise InputError(f"model.taps: {model.name} has no layer {quoted(unknown[0])}.")
    names = dict.fromkeys(tap or last for m in same_base for tap in m.taps or ("",))
    taps = tuple(tap for tap in names if tap in widths)
    if not set(wanted) <= set(taps):
        return [(model, None)]
    spread = any(each.pooling == "mean_std" for each in same_base)
    starts = np.cumsum([0, *(widths[tap] * (1 + spread) for tap in taps)])
    start_of = dict(zip(taps, starts, strict=False))
    n_moments = 2 if model.pooling == "mean_std" else 1
    columns = np.concatenate(
        [start_of[tap] + np.arange(widths[tap] * n_moments) for tap in wanted]
    )
    scales = max((each.scales for each in same_base), key=len)
    if not set(model.scales) <= set(scales):
        scales = model.scales
    superset = dataclasses.replace(
        model,
        taps=() if taps == (last,) else taps,
        pooling="mean_std" if spread else "mean",
        scales=scales,
    )
    places = [columns + starts[-1] * scales.index(scale) for scale in model.scales]
    return [
        (dataclasses.replace(superset, inputs=(text,)), np.concatenate(places))
        for text in model.inputs
    ]


@functools.cache
def _layers(name: str, options: Options) -> tuple[str, dict[str, int]]:
    """Return a base's last layer and each layer's channels; builds it, without weights."""
    config = ModelConfig(name=name, options=options)
    base = network.base_of(catalogue.load(name).build(config))
    widths = {
        layer.name: int(layer.output.shape[-1])
        for layer in base.layers
        if len(layer.output.shape) == 4
    }
    return base.layers[-1].name, widths


def _can_slice(model: ModelConfig) -> bool:
    return model.pooling in ("mean", "mean_std") and not _standardizes(model)


def _standardizes(model: ModelConfig) -> bool:
    return isinstance(model.options, ViewOptions) and model.options.standardize
