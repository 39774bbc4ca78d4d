"""A few files -> their arrays, or the reasons why they have none.

The heart of the stage, the same under every engine: decode -> mask -> channels -> the
store's dtype. What an image yields does not depend on its neighbours in the call.
"""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import images
from kerasfaces.channels import config as stage_config
from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.contract import Arrays, Channel
from kerasfaces.channels.masks._contract import Mask, require
from kerasfaces.core.errors import ImageError, InputError, TemporaryImageError
from kerasfaces.core.texts import quoted
from kerasfaces.faces import Face, main_face
from kerasfaces.images import InputSpec

ONE_COLOUR = "one colour, no noise to measure"
CHANGED = "file content differs from the manifest's sha256"
_LARGEST = float(np.finfo(np.float16).max)
Ranges = Mapping[str, Sequence[float | None]]  # channel -> lowest, highest
# channel -> [offset, step]: value = offset + step * byte
Scale = dict[str, list[float]]


@dataclasses.dataclass(frozen=True)
class Item:
    """One image to work on: the sha256 of its content, and the file or its bytes."""

    sha256: str
    data: Path | bytes


@dataclasses.dataclass(frozen=True)
class Result:
    """One image's array, or why there is none.

    Attributes:
        sha256: Hash of the file's content.
        array: Pixels `(h, w, 3)` uint8, or channels `(h, w, c)` of the store's dtype.
        reason: Why there is no array.
        transient: Whether the reason is the file's absence or change, not its content.
    """

    sha256: str
    array: NDArray[Any] | None
    reason: str = ""
    transient: bool = False


@dataclasses.dataclass(frozen=True)
class Masked:
    """Images that have a mask, and what became of the others.

    Attributes:
        keys: Their sha256.
        pixels: `(n, h, w, 3)` uint8, background 0.
        masks: `(n, h, w, 1)` float32, 1 = kept.
        lost: The images that have none.
    """

    keys: list[str]
    pixels: NDArray[np.uint8]
    masks: NDArray[np.float32]
    lost: list[Result]


def fetch(item: Item) -> Item | Result:
    """Return an item with its file's bytes, or why they are not what was planned."""
    if isinstance(item.data, bytes):
        return item
    try:
        data = images.read_file(item.data)
    except ImageError as error:
        return Result(item.sha256, None, str(error), transient=True)
    if images.sha256(data) != item.sha256:
        return Result(item.sha256, None, CHANGED, transient=True)
    return Item(item.sha256, data)


def decode(item: Item, spec: InputSpec) -> Result:
    """Read and decode one file."""
    content = fetch(item)
    if isinstance(content, Result):
        return content
    try:
        image = images.decode(content.data)  # type: ignore[arg-type]
        return Result(item.sha256, images.to_array(image, spec))
    except ImageError as error:
        transient = isinstance(error, TemporaryImageError)
        return Result(item.sha256, None, str(error), transient)


class Worker:
    """Computes results for small lists of images; builds its parts when used."""

    def __init__(self, config: ChannelsConfig) -> None:
        self.config = config

    @functools.cached_property
    def channels(self) -> dict[str, Channel]:
        """The channels to compute, built, each after those it needs."""
        return {
            name: stage_config.build(self.config, name)
            for name in stage_config.order(self.config)
        }

    @functools.cached_property
    def ranges(self) -> Ranges:
        """Lowest and highest value of the store's channels, in its order."""
        specs = [self.channels[name].spec for name in self.config.channels]
        names = [name for spec in specs for name in spec.names]
        if len({*names}) < len(names):
            raise InputError(f"Two channels have the same name: {', '.join(names)}.")
        return {name: list(spec.ranges[name]) for spec in specs for name in spec.names}

    @functools.cached_property
    def scale(self) -> Scale | None:
        """What 0 and 255 of a uint8 store stand for, per channel."""
        return scale_of(self.config, self.ranges)

    @functools.cached_property
    def mask(self) -> Mask:
        """The mask that all channels share, built at first use."""
        mask: Mask = stage_config.build(self.config, self.config.mask)
        return mask

    def finish(self, decoded: Sequence[Result]) -> list[Result]:
        """Return one result per decoded image, in order."""
        keys = [item.sha256 for item in decoded]
        return self.complete(keys, self.prepare(decoded))

    def complete(self, keys: Sequence[str], masked: Masked) -> list[Result]:
        """Return one result per key, in order: channels, or why there are none."""
        results = {r.sha256: r for r in (*masked.lost, *self.channels_of(masked))}
        return [results[key] for key in keys]

    def prepare(self, decoded: Sequence[Result]) -> Masked:
        """Remove the background of those images that could be decoded and show something.

        What is left of an image that has one colour (blank, or transparent throughout)
        would be stored as zeros, about which a detector has nothing to say.
        """
        lost = [item for item in decoded if item.array is None]
        good = {item.sha256: item.array for item in decoded if item.array is not None}
        masks: dict[str, NDArray[np.bool_]] = {}
        for (key, image), mask in zip(
            good.items(), self._masks([*good.values()]), strict=True
        ):
            if isinstance(mask, str):
                lost.append(Result(key, None, mask))
                continue
            visible = image[mask]
            if len(visible) and (visible != visible[0]).any():
                masks[key] = mask
            else:
                lost.append(Result(key, None, ONE_COLOUR))
        side = self.config.size_px
        pixels = np.zeros((len(masks), side, side, 3), np.uint8)
        planes = np.zeros((len(masks), side, side, 1), np.float32)
        for row, (key, mask) in enumerate(masks.items()):
            np.multiply(good[key], mask[..., None], out=pixels[row])
            planes[row, ..., 0] = mask
        return Masked(list(masks), pixels, planes, lost)

    def _masks(self, pixels: list[NDArray[np.uint8]]) -> list[NDArray[np.bool_] | str]:
        """Return per image a boolean mask `(h, w)`, or the reason why there is none."""
        faces: Sequence[Face | None] = [None] * len(pixels)
        if self.mask.needs_faces and pixels:
            faces = [main_face(image) for image in pixels]
        masks: list[NDArray[np.bool_] | str] = []
        for image, face in zip(pixels, faces, strict=True):
            try:
                if self.mask.needs_faces:
                    require(face)
                masks.append(np.asarray(self.mask.compute(image, face), dtype=bool))
            except ImageError as error:
                masks.append(str(error))
        return masks

    def channels_of(self, masked: Masked) -> list[Result]:
        """Compute the channels of images without background, in the store's dtype."""
        if not masked.keys:
            return []
        computed: dict[str, Arrays] = {"mask": masked.masks}
        for name, channel in self.channels.items():
            computed[name] = channel.compute(masked.pixels, computed)
        stored = [computed[name] for name in self.config.channels]
        arrays = encoded(stored, self.config.dtype, self.scale)
        reasons = not_finite(computed, self.config.dtype)
        return [
            Result(key, None, reason) if reason else Result(key, array)
            for key, array, reason in zip(masked.keys, arrays, reasons, strict=True)
        ]


def scale_of(config: ChannelsConfig, ranges: Ranges) -> Scale | None:
    """Return what the bytes of a uint8 store stand for, per channel; None for float16.

    Raises:
        InputError: A channel has no upper limit.
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


def encoded(parts: Sequence[Arrays], dtype: str, scale: Scale | None) -> NDArray[Any]:
    """Return `(n, h, w, c)` of the store's dtype: channels side by side.

    What float16 cannot hold becomes infinite: see `not_finite`.
    """
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


def not_finite(computed: Mapping[str, Arrays], dtype: str) -> list[str]:
    """Return per image the reason why its values cannot be stored; empty if they can."""
    reasons: list[str] = []
    for name, values in computed.items():
        flat = values.reshape(len(values), -1)
        reasons = reasons or [""] * len(flat)
        largest = np.maximum(flat.max(axis=1), -flat.min(axis=1))  # NaN stays NaN
        for row in np.flatnonzero(~(largest <= _LARGEST)):
            if not np.isfinite(largest[row]):
                reasons[row] = reasons[row] or f"{name}: values are not finite"
            elif dtype == "float16":
                reasons[row] = (
                    reasons[row] or f"{name}: values exceed float16's largest, 65504"
                )
    return reasons
