"""Training through the base: its settings, augmentation in front, half precision."""

import logging
from typing import TYPE_CHECKING

from kerasfaces.core.errors import InputError
from kerasfaces.features import devices
from kerasfaces.models import catalogue
from kerasfaces.models.network import base_of
from kerasfaces.models.weights import BaseWeights
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)


def check(
    config: TrainConfig, base_weights: BaseWeights | None, device_names: str = ""
) -> None:
    """Refuse, or speak of, settings that do not go together.

    Raises:
        InputError: `unfreeze` without a frozen base, `crops` where it is trained, or
            `blur` or `jpeg` where it is frozen.
    """
    whole, name = config.trains_whole(base_weights), config.model.name
    if config.model.crops and (whole or config.unfreeze):
        raise InputError(
            "model.crops: crops are for a frozen base, whose features they average; leave "
            "it at 0, or give base weights and leave `unfreeze` and `train_base` out."
        )
    if config.unfreeze and whole:
        raise InputError(
            "`unfreeze` goes with base weights; `weights='none'` trains all."
            if base_weights is None
            else f"`unfreeze` goes with a frozen base; {name} "
            f"{'with train_base=true ' if config.train_base else ''}trains all."
        )
    if config.views > 1 and whole and not config.launder:
        logger.warning(
            "views=%d does nothing where all is trained: every epoch changes each image "
            "anew, as augment says",
            config.views,
        )
    if not (whole or config.unfreeze):
        for option, is_set in (
            ("mixed precision does", config.mixed_precision),
            ("devices do", device_names),
        ):
            if is_set:
                logger.warning(
                    "%s nothing for a frozen base without `unfreeze`", option
                )
    if (config.augment.blur or config.augment.jpeg) and not whole:
        raise InputError(
            "augment.blur and augment.jpeg change images while the whole model is trained; "
            f"with `weights='none'`, or `model='wang2020'`, not in front of {name}'s frozen "
            "base."
        )


def augmented(model: "keras.Model", config: TrainConfig) -> "keras.Model":
    """Return `model` behind Keras augmentation layers that act in training only."""
    import keras
    from keras import layers

    image = x = keras.Input(model.input_shape[1:], name="image")
    augment = config.augment
    if augment.flip:
        x = layers.RandomFlip("horizontal", seed=config.seed)(x)
    for layer, factor in (
        (layers.RandomRotation, augment.rotation_deg / 360),
        (layers.RandomZoom, augment.zoom),
        (layers.RandomBrightness, augment.brightness),
        (layers.RandomContrast, augment.contrast),
    ):
        if factor:
            x = layer(factor, seed=config.seed)(x)
    return keras.Model(image, model(x), name="augmented")


def twin_of(
    config: TrainConfig,
    model: "keras.Model",
    base_weights: BaseWeights | None,
    device_names: tuple[str, ...],
) -> "keras.Model":
    """Return what is trained in place of `model`: it, or its twin.

    A twin has the same weights and freezing; it computes in half precision, or on several
    devices. Call it within `devices.building`.
    """
    import keras

    half = config.mixed_precision and _has_gpu()
    if config.mixed_precision and not half:
        logger.warning(
            "mixed precision helps on a GPU only and there is none: using float32"
        )
    if not half and len(device_names) == 1:
        return model
    before = keras.config.dtype_policy()
    if half:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        architecture = catalogue.load(config.model.name)
        twin = architecture.build(config.model, base_weights, config.seed)
    finally:
        keras.config.set_dtype_policy(before)
    if len(device_names) > 1:
        devices.synchronize_norms(twin)
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

    return any(name.startswith("gpu") for name in keras.distribution.list_devices())
