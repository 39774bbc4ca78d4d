"""What other documents' detectors share: pixels in, everything trained."""

from typing import Any

import keras
from keras import layers

from kerasfaces.core.errors import InputError
from kerasfaces.models import assemble, weights
from kerasfaces.models.config import ModelConfig

# Keras' .99 remembers the first steps for epochs of a few thousand images; the papers'
# authors trained with .9 (in Keras' sense).
_MOMENTUM = 0.95


def pixels(config: ModelConfig) -> Any:
    """Return the input, `(n, size, size, 3)`, 0..255.

    Raises:
        InputError: The configuration asks for other channels than colours.
    """
    if not config.is_rgb:
        raise InputError(
            f"model.inputs: {config.name} takes pixels, rgb; got "
            f"{', '.join(config.inputs)}. For channels use --model lnp_attention."
        )
    return assemble.input_of(config)


def whole(
    config: ModelConfig,
    full: keras.Model,
    image: Any,
    x: Any,
    base_weights: weights.BaseWeights | None,
    seed: int,
) -> keras.Model:
    """Return the detector: `x`, made from `image`, through the base into the head.

    Args:
        config: The architecture.
        full: The base without top, random weights.
        image: The model's input.
        x: The base's input.
        base_weights: Where the base starts; None is at random.
        seed: Of the head's initial weights.
    """
    if base_weights is not None:
        weights.load_into(full, base_weights)
    for layer in full.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = _MOMENTUM
    return assemble.whole(config, full, image, [x], None, None, seed)


def refuse_weights(text: str, architecture: str) -> None:
    """Accept `none` and nothing else: there is no base.

    Raises:
        InputError: Any other text.
    """
    if text != "none":
        raise InputError(
            f"--weights {text}: {architecture} has no base that weights could be for; "
            "leave it out."
        )


def find_unpublished(text: str, architecture: str) -> weights.BaseWeights | None:
    """Find the file `--weights` names, where there is no official one.

    Raises:
        InputError: `imagenet`.
    """
    if text == "imagenet":
        raise InputError(
            f"--weights imagenet: Keras publishes none for {architecture}; use --weights "
            "none or a file."
        )
    nothing = weights.Official(file="", address="")
    return weights.find(text, architecture, nothing, shipped="")
