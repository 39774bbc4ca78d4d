"""Float32 channels -> one array of the store's dtype per image.

`float16` keeps the channels' own units. `uint8` maps each channel's range to 0..255
linearly; the recipe records the range, and `Store` readers undo it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.contract import ChannelSpec
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

_LARGEST = float(np.finfo(np.float16).max)
Scale = dict[str, list[float]]  # name -> [offset, step]: value = offset + step * byte


def names_and_ranges(
    specs: Sequence[ChannelSpec],
) -> tuple[list[str], dict[str, list[float | None]]]:
    """Return the store's channel names in order, and each one's lowest and highest."""
    names = [name for spec in specs for name in spec.names]
    if len({*names}) < len(names):
        raise InputError(f"Two channels have the same name: {', '.join(names)}.")
    return names, {
        name: list(spec.ranges[name]) for spec in specs for name in spec.names
    }


def scale_of(
    config: ChannelsConfig, ranges: Mapping[str, Sequence[float | None]]
) -> Scale | None:
    """Return what bytes stand for, per channel; None for float16.

    Raises:
        InputError: `uint8` is asked for a channel without an upper limit.
    """
    if config.dtype != "uint8":
        return None
    scale: Scale = {}
    for name, (low, high) in ranges.items():
        if low is None or low < 0:
            low = max(-config.signed_limit, -math.inf if low is None else low)
            high = min(config.signed_limit, math.inf if high is None else high)
        elif high is None:
            raise InputError(
                f"dtype=uint8: channel {quoted(name)} has no upper limit; use dtype=float16 or, "
                "for spectra, the logarithmic amplitude."
            )
        scale[name] = [low, (high - low) / 255]
    return scale


def pack(
    made: Mapping[str, NDArray[np.float32]], dtype: str, scale: Scale | None
) -> NDArray[Any]:
    """Return `(n, h, w, c)` of `dtype`: the channels side by side.

    What float16 cannot hold becomes infinite: see `not_finite`.
    """
    parts = list(made.values())
    width = sum(part.shape[-1] for part in parts)
    out = np.empty((*parts[0].shape[:-1], width), np.dtype(dtype))
    at = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for part in parts:
            end = at + part.shape[-1]
            if scale is not None:
                offset, step = np.array(list(scale.values())[at:end], np.float32).T
                part = np.clip(np.rint((part - offset) / step), 0, 255)
            out[..., at:end] = part
            at = end
    return out


def not_finite(made: Mapping[str, NDArray[np.float32]], dtype: str) -> list[str]:
    """Return per image the reason why its values cannot be stored; empty if they can."""
    reasons: list[str] = []
    for name, values in made.items():
        flat = values.reshape(len(values), -1)
        reasons = reasons or [""] * len(flat)
        largest = np.maximum(flat.max(axis=1), -flat.min(axis=1))  # NaN stays NaN
        for row, value in enumerate(largest):
            if reasons[row]:
                continue
            if not np.isfinite(value):
                reasons[row] = f"{name}: values are not finite"
            elif dtype == "float16" and value > _LARGEST:
                reasons[row] = f"{name}: values exceed float16's largest, 65504"
    return reasons
