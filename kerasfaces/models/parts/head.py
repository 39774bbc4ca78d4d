"""The trained part: features -> logit."""

import keras
from keras import layers

from kerasfaces.models.parts.config import HeadConfig


def build(n_features: int, config: HeadConfig, seed: int = 0) -> keras.Model:
    """Return a model `(n, n_features)` float32 -> `(n, 1)` logit.

    kabber2023's heads are dense ReLU layers with dropout and L2, then one unit; its
    sigmoid is left to the loss and the calibrator, which need the logit.

    Args:
        n_features: Width of the input.
        config: Widths, dropout, L2, standardisation.
        seed: Of the initial weights and the dropout masks.
    """
    features = keras.Input((n_features,), name="features")
    x = features
    if config.standardize:
        x = layers.Normalization(axis=-1, name="standardize")(x)
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
        if config.dropout:
            x = layers.Dropout(config.dropout, seed=seed + i, name=f"dropout_{i}")(x)
    # A linear head on standardised features starts at zero: no direction is favoured.
    start = (
        keras.initializers.GlorotUniform(seed=seed)
        if config.units or not config.standardize
        else keras.initializers.Zeros()
    )
    logit = layers.Dense(
        1,
        kernel_initializer=start,
        kernel_regularizer=penalty,
        dtype="float32",
        name="logit",
    )(x)
    return keras.Model(features, logit, name="head")
