"""Image -> preprocessing -> frozen base -> taps -> head, as one Keras model.

The whole model holds two nested models, `base` and `head` (feature vector -> logit).
Training works on the cached output of `extractor_of`; what is saved is the whole.
"""

from collections.abc import Callable, Sequence

import keras
from keras import layers

from kerasfaces.errors import InputError
from kerasfaces.models.parts import head, weights
from kerasfaces.models.parts.config import ModelConfig
from kerasfaces.models.parts.layers import MeanStdPooling, Rescale


def detector(
    config: ModelConfig,
    full_base: Callable[[], keras.Model],
    preprocessing: keras.layers.Layer,
    base_weights: weights.BaseWeights | None,
    seed: int,
) -> keras.Model:
    """Return the whole model, `(n, size, size, 3)` sRGB 0..255 -> `(n, 1)` logit.

    Args:
        config: The architecture.
        full_base: Makes the base with random weights and no top.
        preprocessing: From 0..255 to what the base was trained on.
        base_weights: Weights for the base; None leaves it random.
        seed: Of the head's initial weights.
    """
    keras.utils.set_random_seed(seed)  # random bases draw from Keras' global generator
    full = full_base()
    if base_weights is not None:
        weights.load_into(full, base_weights)
    base = _tapped(full, config.taps)
    # A base with known weights never runs in training mode; one trained from nothing must.
    training = None if base_weights is None else False
    image = keras.Input((config.size_px, config.size_px, 3), name="image")
    pool = (
        MeanStdPooling
        if config.pooling == "mean_std"
        else layers.GlobalAveragePooling2D
    )
    pooled = []
    for scale in config.scales:
        x = image
        if scale != 1:
            side_px = round(scale * config.size_px)
            x = Rescale(side_px, name=f"rescale_{side_px}")(x)
        maps = base(preprocessing(x), training=training)
        pooled += [pool()(tap) for tap in (maps if isinstance(maps, list) else [maps])]
    features = (
        layers.Concatenate(name="concatenate")(pooled) if len(pooled) > 1 else pooled[0]
    )
    features = layers.Identity(name="features")(features)
    logit = head.build(features.shape[-1], config.head, seed)(features)
    return keras.Model(image, logit, name=config.name)


def base_of(model: keras.Model) -> keras.Model:
    """Return the base inside a whole model."""
    return model.get_layer("base")


def extractor_of(model: keras.Model) -> keras.Model:
    """Return image -> feature vector, sharing the whole model's layers."""
    features = model.get_layer("features").output
    return keras.Model(model.input, features, name="extractor")


def freeze(model: keras.Model, last: int = 0) -> int:
    """Freeze the base except its last `last` layers; BatchNorm stays frozen always.

    `base.trainable = False` alone is undone for BatchNorm by a later `True`, and then its
    statistics move even under `training=False` (keras #20285), so each layer is set.

    Returns:
        How many base layers with weights are trainable.
    """
    base = base_of(model)
    with_weights = [layer for layer in base.layers if layer.weights]
    unfrozen = set(map(id, with_weights[len(with_weights) - last :])) if last else set()
    base.trainable = bool(last)
    count = 0
    for layer in base.layers:
        still = (
            isinstance(layer, layers.BatchNormalization) or id(layer) not in unfrozen
        )
        layer.trainable = not still
        count += not still
    return count


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
            near = [name for name in names if name.endswith(("_relu", "_out", "_add"))]
            raise InputError(
                f"model.taps: the base has no layer {tap!r}; some it has: {', '.join(near)}."
            )
    outputs = [full.get_layer(tap).output for tap in taps] or [full.output]
    return keras.Model(
        full.input, outputs if len(outputs) > 1 else outputs[0], name="base"
    )
