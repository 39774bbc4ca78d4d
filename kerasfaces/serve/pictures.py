"""Pictures as people hold them, each with a name: paths, bytes, PIL images, arrays."""

import dataclasses
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces import images as loader
from kerasfaces.core import engine
from kerasfaces.core.errors import ImageError

Unnamed = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
Decode = Callable[[bytes], Image.Image]  # as `images.decode`
Decoders = engine.Pool[bytes, Image.Image]
_AHEAD = 1  # pictures that are decoded before they are asked for


class Named(NamedTuple):
    """A picture with the name that its answer bears, e.g. of an uploaded file."""

    name: str
    source: Unnamed

    def image(self) -> Image.Image:
        """Return the picture upright, 8-bit sRGB.

        Raises:
            ImageError: It is none.
        """
        picture = Picture(*self)
        return picture.image(picture.data())


Source = Unnamed | Named


@dataclasses.dataclass(frozen=True)
class Picture:
    """One picture that may be read, once."""

    name: str
    source: Unnamed

    def data(self) -> bytes | None:
        """Return the file's bytes, None where the picture is no file; see `images.read_file`."""
        if isinstance(self.source, bytes):
            return self.source
        if isinstance(self.source, str | os.PathLike):
            return loader.read_file(Path(os.path.abspath(self.source)))
        return None

    def image(self, data: bytes | None, decode: Decode = loader.decode) -> Image.Image:
        """Return the picture upright, 8-bit sRGB, of what `data` returned; see `images.decode`."""
        if data is not None:
            if not data:
                raise ImageError("empty file")
            return decode(data)
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


def opened(sources: Iterable[Source]) -> Iterator[tuple[Picture, Decode]]:
    """Yield each picture with what decodes its file.

    Several are decoded in another process, each while the one before is judged: a file on
    which a decoder dies costs its own answer, not those of the others.
    """
    if isinstance(sources, Sized) and len(sources) < 2:
        yield from ((picture, loader.decode) for picture in named(sources))
        return
    one = engine.Engine(workers=1)
    with engine.pool(loader.decode, one, label="decoding", apart=True) as workers:
        waiting: deque[tuple[Picture, bool]] = deque()
        for picture in named(sources):
            waiting.append(_submitted(picture, workers))
            if len(waiting) > _AHEAD:
                yield _taken(*waiting.popleft(), workers)
        while waiting:
            yield _taken(*waiting.popleft(), workers)


def _submitted(picture: Picture, workers: Decoders) -> tuple[Picture, bool]:
    """Return a picture, read, and whether it is a file that is being decoded."""
    try:
        data = picture.data()
    except ImageError:  # whoever asks for its bytes is told
        return picture, False
    if not data:
        return picture, False
    workers.submit(picture.name, data)
    return dataclasses.replace(picture, source=data), True


def _taken(picture: Picture, sent: bool, workers: Decoders) -> tuple[Picture, Decode]:
    if not sent:
        return picture, loader.decode
    outcome = workers.take()  # one worker: they come in order

    def decode(data: bytes) -> Image.Image:
        if outcome.exception is not None:
            raise outcome.exception
        if outcome.value is None:
            raise ImageError(loader.DECODER_CRASHED)
        return outcome.value

    return picture, decode


def too_many_pixels(data: bytes, megapixels: int) -> str:
    """Return why a file is not decoded, by the size that it states; empty where it is."""
    width, height = loader.stated_size(data) or (0, 0)
    if width * height <= megapixels * 10**6:
        return ""
    return f"{width} x {height} px; at most {megapixels} megapixels are taken here"


def digest(data: bytes | None) -> str:
    """Return a file's SHA-256 in hex; empty without a file."""
    return loader.sha256(data) if data is not None else ""


def _of_array(array: NDArray[np.uint8]) -> Image.Image:
    grey, colour = array.ndim == 2, array.ndim == 3 and array.shape[-1] == 3
    if array.dtype != np.uint8 or not (grey or colour) or 0 in array.shape:
        raise ImageError(
            f"an array {array.shape} of {array.dtype}; expected (h, w, 3) or (h, w) of "
            "uint8, sRGB"
        )
    return Image.fromarray(array).convert("RGB")
