"""Pictures as people hold them, each with a name: paths, bytes, PIL images, arrays."""

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces import images as loader
from kerasfaces.core.errors import ImageError

Unnamed = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]


class Named(NamedTuple):
    """A picture with the name that its answer bears, e.g. of an uploaded file."""

    name: str
    source: Unnamed


Source = Unnamed | Named


@dataclasses.dataclass(frozen=True)
class Picture:
    """One picture that may be read, once."""

    name: str
    source: Unnamed

    def data(self) -> bytes | None:
        """Return the file's bytes; None where the picture is no file.

        Raises:
            ImageError: It cannot be read; see `images.read_file`.
        """
        if isinstance(self.source, bytes):
            return self.source
        if isinstance(self.source, str | os.PathLike):
            return loader.read_file(Path(os.path.abspath(self.source)))
        return None

    def image(self, data: bytes | None) -> Image.Image:
        """Return the picture upright, 8-bit sRGB, given what `data` returned.

        Raises:
            ImageError: It is no picture; see `images.decode`.
        """
        if data is not None:
            if not data:
                raise ImageError("empty file")
            return loader.decode(data)
        if isinstance(self.source, Image.Image):
            return loader.to_srgb_upright(self.source)
        if isinstance(self.source, np.ndarray):
            return _of_array(self.source)
        raise ImageError(f"{type(self.source).__name__} is no picture")


def named(sources: Iterable[Source]) -> Iterator[Picture]:
    """Yield each picture with its name: its path, or `<image 0>` by its position."""
    for position, source in enumerate(sources):
        if isinstance(source, Named):
            yield Picture(*source)
        elif isinstance(source, str | os.PathLike):
            yield Picture(os.fsdecode(source), source)
        else:
            yield Picture(f"<image {position}>", source)


def digest(data: bytes | None) -> str:
    """Return a file's SHA-256 in hex; empty without a file."""
    return hashlib.sha256(data).hexdigest() if data is not None else ""


def _of_array(array: NDArray[np.uint8]) -> Image.Image:
    grey, colour = array.ndim == 2, array.ndim == 3 and array.shape[-1] == 3
    if array.dtype != np.uint8 or not (grey or colour) or 0 in array.shape:
        raise ImageError(
            f"an array {array.shape} of {array.dtype}; expected (h, w, 3) or (h, w) of "
            "uint8, sRGB"
        )
    return Image.fromarray(array).convert("RGB")
