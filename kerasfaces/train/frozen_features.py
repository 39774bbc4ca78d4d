"""The features that a frozen base's head is trained on."""

from kerasfaces.core import config as configs
from kerasfaces.core.engine import Engine
from kerasfaces.core.files import Json
from kerasfaces.dataset.channels import Arrays
from kerasfaces.features.cached import FeatureCache, base_recipe
from kerasfaces.models import channel_layers
from kerasfaces.models.weights import BaseWeights
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data
from kerasfaces.train.network_builder import NetworkBuilder


def frozen_features(
    config: TrainConfig, data: Data, builder: NetworkBuilder, base_weights: BaseWeights
) -> FeatureCache:
    """Return the features of a run's images; its channels' statistics are fitted first."""
    builder.settle()
    scaling = None
    if not config.model.is_rgb:
        model, rows = builder.get().model, data.readable("train")
        channel_layers.fit_scaling(model, data.reader(rows), len(rows))
        scaling = channel_layers.scaling_of(model)
    return feature_cache(
        config, data.images.store, builder, base_weights, scaling, data.spread
    )


def feature_cache(
    config: TrainConfig,
    images: Arrays,
    builder: NetworkBuilder,
    base_weights: BaseWeights,
    scaling: Json | None = None,
    spread: Engine | None = None,
) -> FeatureCache:
    """Return the features a frozen base's head is trained on; nothing runs yet."""
    return FeatureCache(
        lambda: builder.get().extractor,
        base_recipe(configs.to_dict(config.model), base_weights.describe(), scaling),
        images,
        lambda: builder.get().engine,
        spread,
    )
