"""Channels -> preprocessing -> base -> taps -> head, as one Keras model.

The whole model holds two nested models, `base` and `head` (feature vector -> logit).
Training works on the cached output of `extractor_of`; what is saved is the whole.
"""

import re
from collections.abc import Sequence

import keras
from keras import layers

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.models.erasure import EraseDirections
from kerasfaces.models.layers import (
    ClassAndPatches,
    ClassToken,
    FakeMinusReal,
    ImageTokens,
    MeanFeature,
    MeanOfCrops,
    MeanStdPooling,
    Vote,
)

_TAP_NAMES = r"_(relu|out|add)$|^block_\d+$"
_POOLING = {
    "mean": layers.GlobalAveragePooling2D,
    "mean_std": MeanStdPooling,
    "flatten": layers.Flatten,
    "vote": Vote,
    "token": ImageTokens,
    "cls": ClassToken,
    "cls_mean_std": ClassAndPatches,
}


def input_of(config: ModelConfig) -> keras.KerasTensor:
    """Return the input, `(n, size, size, c)`; of crops, one below the other."""
    height = max(1, config.crops) * config.size_px
    shape = (height, config.size_px, len(config.channel_names))
    return keras.Input(shape, name="image")


def whole(
    config: ModelConfig,
    full: keras.Model,
    image: keras.KerasTensor,
    views: Sequence[keras.KerasTensor],
    seed: int,
    preprocessing: keras.layers.Layer | None = None,
    training: bool | None = None,
) -> keras.Model:
    """Join views, base, taps and head.

    Args:
        config: The architecture.
        full: The base without top; its name becomes `base`.
        image: The input.
        views: What goes through the base, one after another.
        seed: Of the head's initial weights.
        preprocessing: In front of the base; None is nothing.
        training: The base's mode; None follows the whole model's.
    """
    base = _tapped(full, config.taps)
    pool = _POOLING[config.pooling]
    pooled = []
    for number, view in enumerate(views):
        for scale in config.scales:
            x = view
            if scale != 1:
                side_px = round(scale * config.size_px)
                suffix = f"_{number}" if number else ""
                x = layers.Resizing(
                    side_px,
                    side_px,
                    antialias=scale < 1,
                    name=f"rescale_{side_px}{suffix}",
                )(x)
            if preprocessing is not None:
                x = preprocessing(x)
            maps = base(x, training=training)
            taps = maps if isinstance(maps, list) else [maps]
            pooled += [pool()(tap) for tap in taps]
    features = (
        layers.Concatenate(name="concatenate")(pooled) if len(pooled) > 1 else pooled[0]
    )
    if config.crops:
        features = MeanOfCrops(config.crops, name="mean_of_crops")(features)
    features = layers.Identity(name="features")(features)
    logit = build_head(features.shape[-1], config.head, seed)(features)
    return keras.Model(image, logit, name=config.name)


def build_head(n_features: int, config: HeadConfig, seed: int = 0) -> keras.Model:
    """Return a model `(n, n_features)` float32 -> `(n, 1)` logit.

    kabber2023's heads are dense ReLU layers with dropout and L2, then one unit; its
    sigmoid is left to the loss and the calibrator, which need the logit. A softmax over
    (real, fake) is the sigmoid of their difference, so that difference is its logit.

    Args:
        n_features: Width of the input.
        config: Widths, dropout, L2, standardisation.
        seed: Of the initial weights and the dropout masks.
    """
    features = x = keras.Input((n_features,), name="features")
    if config.standardize:
        x = layers.Normalization(axis=-1, name="standardize")(x)
    if config.erase:
        x = EraseDirections(config.erase, name="erase")(x)
    penalty = keras.regularizers.L2(config.l2) if config.l2 else None
    if config.dropout and not config.units:
        x = layers.Dropout(config.dropout, seed=seed, name="dropout")(x)
    for i, width in enumerate(config.units, start=1):
        x = layers.Dense(
            width,
            activation="relu",
            kernel_initializer=keras.initializers.GlorotUniform(seed=seed + i),
            kernel_regularizer=penalty,
            name=f"hidden_{i}",
        )(x)
        if config.batch_norm and i < len(config.units):
            x = layers.BatchNormalization(name=f"norm_{i}")(x)
        if config.dropout:
            x = layers.Dropout(config.dropout, seed=seed + i, name=f"dropout_{i}")(x)
    if config.output == "average":
        return keras.Model(features, MeanFeature(name="logit")(x), name="head")
    # A linear head on standardised features starts at zero: no direction is favoured.
    start = (
        keras.initializers.GlorotUniform(seed=seed)
        if config.units or not config.standardize
        else keras.initializers.Zeros()
    )
    two = config.output == "softmax"
    logit = layers.Dense(
        2 if two else 1,
        kernel_initializer=start,
        kernel_regularizer=penalty,
        dtype="float32",
        name="real_fake" if two else "logit",
    )(x)
    if two:
        logit = FakeMinusReal(name="logit")(logit)
    return keras.Model(features, logit, name="head")


def base_of(model: keras.Model) -> keras.Model:
    """Return the base inside a whole model."""
    return model.get_layer("base")


def extractor_of(model: keras.Model) -> keras.Model:
    """Return image -> feature vector, sharing the whole model's layers."""
    features = model.get_layer("features").output
    return keras.Model(model.input, features, name="extractor")


def final_layer_of(head: keras.Model) -> keras.Model:
    """Return features -> what a head's last layer reads, sharing the head's layers.

    Of a head without hidden layers that is the features as it standardises them.
    """
    last = next(layer for layer in head.layers if layer.name in ("logit", "real_fake"))
    return keras.Model(head.input, last.input, name="final_layer")


def embedder_of(model: keras.Model) -> keras.Model:
    """Return images -> the head's final layer `(n, width)`."""
    features = model.get_layer("features").output
    final = final_layer_of(model.get_layer("head"))
    return keras.Model(model.input, final(features), name="embedder")


def with_embedding(model: keras.Model) -> keras.Model:
    """Return images -> logit `(n, 1)` and the head's final layer `(n, width)`."""
    final = embedder_of(model).output
    return keras.Model(model.input, [model.output, final], name="with_embedding")


def poolings_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers that make features of the base's maps, in the features' order.

    By view, then by scale, then by tap. The input of each is one of the base's outputs,
    as it is called in the whole model's own graph.
    """
    every: list[keras.layers.Layer] = model.layers
    kinds = tuple(_POOLING.values())
    by_output = {id(layer.output): layer for layer in every if isinstance(layer, kinds)}
    joined = [layer for layer in every if layer.name == "concatenate"]
    pooled = joined[0].input if joined else [model.get_layer("features").input]
    return [by_output[id(each)] for each in pooled]


def freeze(model: keras.Model, last: int = 0) -> int:
    """Freeze the base except its last `last` layers; BatchNorm stays frozen always.

    `base.trainable = False` alone is undone for BatchNorm by a later `True`, and then its
    statistics move even under `training=False` (keras #20285), so each layer is set.

    Returns:
        How many base layers with weights are trainable.
    """
    base = base_of(model)
    with_weights = [layer for layer in base.layers if layer.weights]
    unfrozen = with_weights[len(with_weights) - last :] if last else []
    base.trainable = bool(last)
    for layer in base.layers:
        layer.trainable = layer in unfrozen and not isinstance(
            layer, layers.BatchNormalization
        )
    return sum(layer.trainable for layer in base.layers)


def unfreeze_all(model: keras.Model) -> None:
    """Make the whole base trainable, BatchNorm included: training from nothing."""
    base = base_of(model)
    base.trainable = True
    for layer in base.layers:
        layer.trainable = True


def _tapped(full: keras.Model, taps: Sequence[str]) -> keras.Model:
    names = [layer.name for layer in full.layers]
    for tap in taps:
        if tap not in names:
            near = [name for name in names if re.search(_TAP_NAMES, name)]
            raise InputError(
                f"model.taps: the base has no layer {quoted(tap)}; some it has: {', '.join(near)}."
            )
    outputs = [full.get_layer(tap).output for tap in taps] or [full.outputs[-1]]
    return keras.Model(
        full.input, outputs if len(outputs) > 1 else outputs[0], name="base"
    )
