"""One run of a base for many models: features that are columns of a superset's.

Models that differ in taps, pooling or scales alone are columns of one superset, so the
base runs once for all of them. Where one model holds all the others, or all agree, the
superset is that model itself: either finds the other's features in the cache.
"""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.features.readers import Columns
from kerasfaces.models import catalogue, network
from kerasfaces.models.config import ModelConfig, Options, ViewOptions


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
    if not can_slice(model) or len(variants) < 2:
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
    n_shown = len(model.images) - len(model.inputs) + 1  # of one input, its residual
    places = [
        columns + starts[-1] * (len(scales) * shown + scales.index(scale))
        for shown in range(n_shown)
        for scale in model.scales
    ]
    return [
        (dataclasses.replace(superset, inputs=(text,)), np.concatenate(places))
        for text in model.inputs
    ]


def layer_sets(model: ModelConfig) -> list[tuple[str, ...]]:
    """Return layers to choose from: all of a model's, the earlier half, the later half.

    Only all of them where their features are not columns of the whole.
    """
    half = len(model.taps) // 2
    if not half or len(model.inputs) > 1 or not can_slice(model):
        return [model.taps]
    if not set(model.taps) <= set(_layers(model.name, model.options)[1]):
        return [model.taps]
    return [model.taps, model.taps[:-half], model.taps[-half:]]


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


def can_slice(model: ModelConfig) -> bool:
    """Tell whether a model's features are columns of a superset's."""
    return model.pooling in ("mean", "mean_std") and not standardizes(model)


def standardizes(model: ModelConfig) -> bool:
    """Tell whether features depend on statistics of the training images' channels."""
    return isinstance(model.options, ViewOptions) and model.options.standardize
