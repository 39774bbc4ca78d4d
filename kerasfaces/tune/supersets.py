"""Which features a study computes: one superset per image size, view and base.

Candidates that differ in taps, pooling or scales alone are columns of one superset, so the
base runs once for all of them. Where one candidate holds all the others, or all agree, the
superset is what `train` itself computes for it: either finds the other's in the cache.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.models import catalogue
from kerasfaces.models.config import ModelConfig, Options, ViewOptions
from kerasfaces.train.config import TrainConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class Anatomy:
    """A base's layers.

    Attributes:
        last: Name of the last one.
        widths: Layer -> channels.
    """

    last: str
    widths: dict[str, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slice:
    """Some columns of one extractor's features.

    Attributes:
        model: What to extract.
        columns: Which of its features; None is all.
    """

    model: ModelConfig
    columns: NDArray[np.int64] | None = None


class Supersets:
    """Turns candidates into slices of few extractors' features."""

    def __init__(self, probes: Sequence[TrainConfig]) -> None:
        """Look at what the space holds.

        Args:
            probes: Runs that show every value of every choice.
        """
        self._taps: dict[str, dict[str, None]] = {}
        self._variants: dict[str, set[Any]] = {}
        self._spread: dict[str, bool] = {}
        self._scales: dict[str, tuple[float, ...]] = {}
        for config in probes:
            model = config.model
            if not _can_slice(model):
                continue
            name = model.name
            taps = self._taps.setdefault(name, {})
            taps.update(dict.fromkeys(model.taps or ("",)))
            self._variants.setdefault(name, set()).add(
                (model.taps, model.pooling, model.scales, model.inputs)
            )
            widest = max(self._scales.get(name, ()), model.scales, key=len)
            self._scales[name] = widest
            spread = model.pooling == "mean_std"
            self._spread[name] = self._spread.get(name, False) or spread

    def slices(self, model: ModelConfig) -> list[Slice]:
        """Return what to put side by side for a candidate, in order."""
        name = model.name
        if not _can_slice(model) or len(self._variants.get(name, ())) < 2:
            return [Slice(model=model)]
        anatomy = anatomy_of(name, model.options)
        wanted = [tap or anatomy.last for tap in model.taps or ("",)]
        unknown = [tap for tap in wanted if tap not in anatomy.widths]
        if unknown:
            raise InputError(f"model.taps: {name} has no layer {quoted(unknown[0])}.")
        names = dict.fromkeys(tap or anatomy.last for tap in self._taps[name])
        superset = tuple(tap for tap in names if tap in anatomy.widths)
        if not set(wanted) <= set(superset):
            return [Slice(model=model)]
        pooling = "mean_std" if self._spread[name] else "mean"
        columns, width = _columns(anatomy, superset, wanted, pooling, model.pooling)
        scales = self._scales[name]
        if not set(model.scales) <= set(scales):
            scales = model.scales
        places = [columns + width * scales.index(scale) for scale in model.scales]
        taps = () if superset == (anatomy.last,) else superset
        return [
            Slice(
                model=dataclasses.replace(
                    model,
                    inputs=(text,),
                    taps=taps,
                    pooling=pooling,  # type: ignore[arg-type]
                    scales=scales,
                ),
                columns=np.concatenate(places),
            )
            for text in model.inputs
        ]


@functools.cache
def anatomy_of(name: str, options: Options) -> Anatomy:
    """Return a base's layers; builds it once, without weights."""
    from kerasfaces.models import network

    config = ModelConfig(name=name, options=options)
    base = network.base_of(catalogue.load(name).build(config))
    widths = {
        layer.name: int(layer.output.shape[-1])
        for layer in base.layers
        if len(layer.output.shape) == 4
    }
    return Anatomy(last=base.layers[-1].name, widths=widths)


def _can_slice(model: ModelConfig) -> bool:
    options = model.options
    return model.pooling in ("mean", "mean_std") and not (
        isinstance(options, ViewOptions) and options.standardize
    )


def standardizes(model: ModelConfig) -> bool:
    """Tell whether features depend on statistics of the training images' channels."""
    options = model.options
    if not isinstance(options, ViewOptions):
        return False
    return options.standardize and not model.is_rgb


def _columns(
    anatomy: Anatomy,
    superset: Sequence[str],
    wanted: Sequence[str],
    pooling: str,
    wanted_pooling: str,
) -> tuple[NDArray[np.int64], int]:
    """Return where the wanted taps' features are among one scale's, and those's number."""
    start, at = 0, {}
    for tap in superset:
        at[tap] = start
        start += anatomy.widths[tap] * (2 if pooling == "mean_std" else 1)
    parts = [
        at[tap]
        + np.arange(anatomy.widths[tap] * (2 if wanted_pooling == "mean_std" else 1))
        for tap in wanted
    ]
    return np.concatenate(parts), start
