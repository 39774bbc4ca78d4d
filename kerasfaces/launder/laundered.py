"""One file -> the arrays that the model sees of all its laundered versions.

Runs in worker processes: Pillow and NumPy only.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces import images
from kerasfaces.core.errors import ImageError
from kerasfaces.images import launderings
from kerasfaces.images.limits import Limits
from kerasfaces.launder.variants import Variant


@dataclasses.dataclass(frozen=True)
class Photo:
    """A file, its SHA-256 (empty where it cannot be read), and its bytes if read elsewhere."""

    file: Path
    key: str
    data: bytes = b""


@dataclasses.dataclass(frozen=True)
class Laundered:
    """What became of one image."""

    positions: list[int]  # of the variants that have an array
    arrays: NDArray[np.uint8]  # `(len(positions), size, size, 3)` uint8, in that order
    reasons: dict[int, str]  # position of a variant without one -> why


class Launder:
    """The task: decodes a file once, launders it in every way, resizes each version."""

    def __init__(
        self, variants: Sequence[Variant], spec: images.InputSpec, limits: Limits | None
    ) -> None:
        self._variants, self._spec, self._limits = tuple(variants), spec, limits

    def __call__(self, photo: Photo) -> Laundered:
        """Return all versions; one that cannot be made costs none of the others."""
        positions, arrays, reasons = [], [], {}
        try:
            image = images.decode(photo.data or images.read_file(photo.file))
        except ImageError as error:
            return self._nothing(str(error))
        pixels = np.asarray(image)
        for position, variant in enumerate(self._variants):
            try:
                arrays.append(self._version(pixels, variant, photo.key))
                positions.append(position)
            except ImageError as error:
                reasons[position] = str(error)
            except MemoryError:
                reasons[position] = "not enough memory to launder it now"
        size = self._spec.size_px
        stacked = np.stack(arrays) if arrays else np.zeros((0, size, size, 3), np.uint8)
        return Laundered(positions, stacked, reasons)

    def _version(
        self, pixels: NDArray[np.uint8], variant: Variant, key: str
    ) -> NDArray[np.uint8]:
        if variant.laundering:
            laundering = launderings.get(variant.laundering)
            pixels = laundering.apply(pixels, variant.strength, key)
        image = Image.fromarray(pixels)
        reason = self._limits.reason(image.size) if self._limits else ""
        if reason:
            raise ImageError(reason)
        return images.to_array(image, self._spec)

    def _nothing(self, reason: str) -> Laundered:
        size = self._spec.size_px
        reasons = dict.fromkeys(range(len(self._variants)), reason)
        return Laundered([], np.zeros((0, size, size, 3), np.uint8), reasons)
