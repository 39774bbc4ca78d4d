"""The trained part: features -> logit."""

import keras
from keras import layers

from kerasfaces.models.config import HeadConfig
from kerasfaces.models.layers import FakeMinusReal, MeanFeature


def build(n_features: int, config: HeadConfig, seed: int = 0) -> keras.Model:
    """Return a model `(n, n_features)` float32 -> `(n, 1)` logit.

    kabber2023's heads are dense ReLU layers with dropout and L2, then one unit; its
    sigmoid is left to the loss and the calibrator, which need the logit. A softmax over
    (real, fake) is the sigmoid of their difference, so that difference is its logit.

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
