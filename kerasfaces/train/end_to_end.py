"""Training through the base: augmentation in front, half precision on a GPU."""

import logging
from typing import Any

from kerasfaces.models.parts.assemble import base_of
from kerasfaces.train.config import TrainConfig

logger = logging.getLogger(__name__)


def augmented(model: Any, config: TrainConfig) -> Any:
    """Return `model` behind Keras augmentation layers that act in training only."""
    import keras
    from keras import layers

    image = keras.Input(model.input_shape[1:], name="image")
    augment = config.augment
    x = image
    if augment.flip:
        x = layers.RandomFlip("horizontal", seed=config.seed)(x)
    if augment.rotation_deg:
        x = layers.RandomRotation(augment.rotation_deg / 360, seed=config.seed)(x)
    if augment.zoom:
        x = layers.RandomZoom(augment.zoom, seed=config.seed)(x)
    if augment.brightness:
        x = layers.RandomBrightness(augment.brightness, seed=config.seed)(x)
    if augment.contrast:
        x = layers.RandomContrast(augment.contrast, seed=config.seed)(x)
    return keras.Model(image, model(x), name="augmented")


def in_precision(
    config: TrainConfig, model: Any, plugin: Any, base_weights: Any
) -> Any:
    """Return `model`, or its half-precision twin with the same weights and freezing."""
    import keras

    if not config.mixed_precision:
        return model
    if not _has_gpu():
        logger.warning(
            "mixed precision helps on a GPU only and there is none: using float32"
        )
        return model
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        twin = plugin.build(config.model, base_weights, config.seed)
    finally:
        keras.config.set_dtype_policy(before)
    twin.set_weights(model.get_weights())
    for layer in twin.get_layer("head").layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it computes with a copy of its weights
    ours, theirs = map(base_of, (twin, model))
    ours.trainable = theirs.trainable
    for layer, other in zip(ours.layers, theirs.layers, strict=True):
        layer.trainable = other.trainable
    return twin


def _has_gpu() -> bool:
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    import jax

    return bool(jax.default_backend() == "gpu")
