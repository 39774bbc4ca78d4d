"""A few files -> their arrays, or the reasons why they have none.

The heart of the stage, the same under every engine: decode -> mask -> channels ->
float16. What an image yields does not depend on its neighbours in the call.
"""

import contextlib
import dataclasses
import functools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from kerasfaces import images
from kerasfaces.channels import config as stage_config
from kerasfaces.channels import pack
from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.contract import Channel
from kerasfaces.core.errors import ImageError, TemporaryImageError
from kerasfaces.images import InputSpec

logger = logging.getLogger(__name__)
NO_FACE = "no face found"
ONE_COLOUR = "one colour, no noise to measure"
CHANGED = "file content differs from the manifest's sha256"


@dataclasses.dataclass(frozen=True)
class Item:
    """One image to work on: the sha256 of its content, and the file or its bytes."""

    sha256: str
    data: Path | bytes


@dataclasses.dataclass(frozen=True)
class Decoded:
    """One image's pixels `(h, w, 3)` uint8, or why there are none.

    `transient`: the reason is the file's absence or change, not its content.
    """

    sha256: str
    array: NDArray[np.uint8] | None
    reason: str = ""
    transient: bool = False


@dataclasses.dataclass(frozen=True)
class Result:
    """One image's array `(h, w, c)` of the store's dtype, or why there is none."""

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


def fetch(item: Item) -> Item | Decoded:
    """Read an item's file, checking that it still is what was planned.

    Returns:
        The item with its bytes, or why there are none.
    """
    if isinstance(item.data, bytes):
        return item
    try:
        data = images.read_file(item.data)
    except ImageError as error:
        return Decoded(item.sha256, None, str(error), transient=True)
    if images.sha256(data) != item.sha256:
        return Decoded(item.sha256, None, CHANGED, transient=True)
    return Item(item.sha256, data)


def decode(item: Item, spec: InputSpec) -> Decoded:
    """Read and decode one file."""
    found = fetch(item)
    if isinstance(found, Decoded):
        return found
    try:
        image = images.decode(cast(bytes, found.data))
        return Decoded(item.sha256, images.to_array(image, spec))
    except TemporaryImageError as error:
        return Decoded(item.sha256, None, str(error), transient=True)
    except ImageError as error:
        return Decoded(item.sha256, None, str(error))


def _one_colour(pixels: NDArray[np.uint8]) -> bool:
    """Tell whether pixels `(n, 3)` are all alike; so are none."""
    return not pixels.size or bool((pixels == pixels[0]).all())


class Worker:
    """Computes results for small lists of items; picklable, builds its parts when used.

    Use it as a context manager, or call `close`: masks may hold a helper process.
    """

    def __init__(self, config: ChannelsConfig) -> None:
        """Keep the configuration; nothing is loaded yet."""
        self.config = config
        self._open = contextlib.ExitStack()

    def __reduce__(self) -> tuple[type["Worker"], tuple[ChannelsConfig]]:
        """Pickle the configuration alone."""
        return Worker, (self.config,)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End helper processes; a later call starts them again."""
        self._open.close()
        self.__dict__.pop("faces", None)

    @functools.cached_property
    def channels(self) -> dict[str, Channel]:
        """The channels to compute, built, each after those it needs."""
        return {
            name: stage_config.plugin(self.config, name).build(
                self.config.options[name]
            )
            for name in stage_config.order(self.config)
        }

    @functools.cached_property
    def scale(self) -> pack.Scale | None:
        """What 0 and 255 of a uint8 store stand for, per channel."""
        specs = [self.channels[name].spec for name in self.config.channels]
        return pack.scale_of(self.config, pack.names_and_ranges(specs)[1])

    @functools.cached_property
    def mask(self) -> Any:
        """The mask, built."""
        name = self.config.mask
        module = stage_config.plugin(self.config, name)
        return module.build(self.config.options[name])

    @functools.cached_property
    def faces(self) -> Any:
        """The face finder, a process of its own that ends with `close`."""
        from kerasfaces.faces import FaceFinder

        return self._open.enter_context(FaceFinder())

    def compute(self, items: Sequence[Item]) -> list[Result]:
        """Return one result per item, in order."""
        spec = self.config.input_spec
        return self.finish([decode(item, spec) for item in items])

    def finish(self, decoded: Sequence[Decoded]) -> list[Result]:
        """Return one result per decoded image, in order."""
        keys = [item.sha256 for item in decoded]
        return self.complete(keys, self.prepare(decoded))

    def complete(self, keys: Sequence[str], masked: Masked) -> list[Result]:
        """Return one result per key, in order: channels, or why there are none."""
        found = {result.sha256: result for result in masked.lost}
        found |= {result.sha256: result for result in self.channels_of(masked)}
        return [found[key] for key in keys]

    def prepare(self, decoded: Sequence[Decoded]) -> Masked:
        """Remove the background of those images that could be decoded and show something.

        What is left of an image that has one colour (blank, or transparent throughout)
        would be stored as zeros, about which a detector has nothing to say.
        """
        lost = [
            Result(item.sha256, None, item.reason, item.transient)
            for item in decoded
            if item.array is None
        ]
        good = {item.sha256: item.array for item in decoded if item.array is not None}
        found = self._masks(list(good.values()))
        masks: dict[str, NDArray[np.bool_]] = {}
        for key, mask in zip(good, found, strict=True):
            if isinstance(mask, str):
                lost.append(Result(key, None, mask))
            elif _one_colour(good[key][mask]):
                lost.append(Result(key, None, ONE_COLOUR))
            else:
                masks[key] = mask
        side = self.config.size_px
        pixels = np.zeros((len(masks), side, side, 3), np.uint8)
        planes = np.zeros((len(masks), side, side, 1), np.float32)
        for row, (key, mask) in enumerate(masks.items()):
            np.multiply(good[key], mask[..., None], out=pixels[row])
            planes[row, ..., 0] = mask
        return Masked(list(masks), pixels, planes, lost)

    def _masks(
        self, pixels: Sequence[NDArray[np.uint8]]
    ) -> list[NDArray[np.bool_] | str]:
        """Return per image a boolean mask `(h, w)`, or the reason why there is none."""
        faces: Sequence[Any] = [None] * len(pixels)
        if self.mask.needs_faces and pixels:
            faces = self.faces.find(list(pixels))
        made: list[NDArray[np.bool_] | str] = []
        for image, face in zip(pixels, faces, strict=True):
            if self.mask.needs_faces and face is None:
                made.append(NO_FACE)
                continue
            try:
                made.append(np.asarray(self.mask.compute(image, face), dtype=bool))
            except ImageError as error:
                made.append(str(error))
        return made

    def channels_of(self, masked: Masked) -> list[Result]:
        """Compute the channels of images without background."""
        if not masked.keys:
            return []
        made: dict[str, NDArray[np.float32]] = {"mask": masked.masks}
        for name, channel in self.channels.items():
            made[name] = channel.compute(masked.pixels, made)
        return self._results(masked.keys, made)

    def _results(
        self, keys: Sequence[str], made: Mapping[str, NDArray[np.float32]]
    ) -> list[Result]:
        """Put the channels together in the store's dtype; name what is not finite."""
        chosen = {name: made[name] for name in self.config.channels}
        arrays = pack.pack(chosen, self.config.dtype, self.scale)
        reasons = pack.not_finite(made, self.config.dtype)
        return [
            Result(key, None, reason) if reason else Result(key, array)
            for key, array, reason in zip(keys, arrays, reasons, strict=True)
        ]
