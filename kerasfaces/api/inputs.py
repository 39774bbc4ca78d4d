"""Images as people hold them (paths, PIL images, arrays) -> files that the stages read."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces import images as loader
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.serve.pictures import Named

ImageInput = str | os.PathLike[str] | Image.Image | NDArray[np.uint8]
Images = ImageInput | Iterable[ImageInput]


@contextmanager
def as_files(images: Images) -> Iterator[tuple[list[Path], list[str], list[str]]]:
    """Give every image a file for as long as the context lasts.

    Args:
        images: One image or several. A path may be a folder, which stands for all images
            below it. A PIL image is turned by its EXIF orientation and converted to sRGB as
            the loader does with files. An array is `(h, w, 3)` or `(h, w)` uint8, sRGB.

    Yields:
        The files; a name for each, its path, or `<image 0>` by its position; and for each
        the reason why a PIL image cannot be decoded, whose file is not there, else "".

    Raises:
        InputError: Something is no image, such as an address or a video, or an array has
            another shape or dtype.
    """
    files: list[Path] = []
    names: list[str] = []
    reasons: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kerasfaces-") as folder:
        for position, image in enumerate(_several(images)):
            if isinstance(image, str | os.PathLike):
                below = _below(image)
                files += below
                names += map(str, below)
                reasons += [""] * len(below)
                continue
            files.append(Path(folder) / f"{position}.png")
            names.append(f"<image {position}>")
            try:
                _upright(image, position).save(files[-1], compress_level=1)
                reasons.append("")
            except ImageError as error:
                reasons.append(str(error))
        if not files:
            raise InputError("images: expected at least one image, got none.")
        yield files, names, reasons


def as_sources(images: Images) -> list[Named]:
    """Return every image with its name: its path, or `<image 0>` by its position.

    Args:
        images: See `as_files`.

    Raises:
        InputError: See `as_files`.
    """
    sources: list[Named] = []
    for position, image in enumerate(_several(images)):
        if isinstance(image, str | os.PathLike):
            sources += [Named(str(path), path) for path in _below(image)]
        else:
            _require_image(image, position)
            sources.append(Named(f"<image {position}>", image))
    if not sources:
        raise InputError("images: expected at least one image, got none.")
    return sources


def _several(images: Images) -> list[ImageInput]:
    if isinstance(images, str | os.PathLike | Image.Image):
        return [images]
    if isinstance(images, np.ndarray):
        return [images] if _is_single(images) else list(images)
    if not isinstance(images, Iterable):
        raise InputError(
            "images: expected paths, PIL images or uint8 arrays, got "
            f"{type(images).__name__}."
        )
    return list(images)


def _is_single(pixels: NDArray[np.uint8]) -> bool:
    return pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] == 3)


def _below(image: str | os.PathLike[str]) -> list[Path]:
    from kerasfaces.manifest.image_files import images_below
    from kerasfaces.serve import predict

    predict.refuse(os.fspath(image))
    path = Path(image)
    files = images_below(path) if path.is_dir() else [path]
    if not files:
        raise InputError(
            f"{path}: no images there; expected files such as .jpg or .png."
        )
    return files


def _upright(image: ImageInput, position: int) -> Image.Image:
    _require_image(image, position)
    if isinstance(image, Image.Image):
        return loader.to_srgb_upright(image)
    return Image.fromarray(np.asarray(image)).convert("RGB")


def _require_image(image: ImageInput, position: int) -> None:
    if isinstance(image, Image.Image):
        return
    if not isinstance(image, np.ndarray):
        raise InputError(
            f"images[{position}]: expected a path, a PIL image or a uint8 array, got "
            f"{type(image).__name__}."
        )
    if image.dtype != np.uint8 or not _is_single(image) or 0 in image.shape:
        raise InputError(
            f"images[{position}]: expected an array (h, w, 3) or (h, w) of uint8, sRGB, got "
            f"{image.shape} of {image.dtype}. Scale floats to 0..255 and convert them "
            "with .astype('uint8')."
        )
