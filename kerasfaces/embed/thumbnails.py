"""Small pictures of mapped images, side by side in one sheet."""

import base64
import functools
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from kerasfaces import images
from kerasfaces.core import engine
from kerasfaces.core.errors import ImageError

SIDE_PX = 48
_QUALITY_PCT = 72
_COLUMNS = 50
_BLANK = (200, 200, 200)


def sheet(files: Sequence[Path], side_px: int = SIDE_PX) -> NDArray[np.uint8]:
    """Return a sheet of thumbnails, 50 a row, `(rows * side, 50 * side, 3)` uint8.

    A file that cannot be read, or is not there any more, is a grey square.
    """
    rows = max(1, math.ceil(len(files) / _COLUMNS))
    whole = np.full((rows * side_px, _COLUMNS * side_px, 3), _BLANK, np.uint8)
    outcomes = engine.map(
        functools.partial(_small, side_px=side_px),
        files,
        progress="thumbnails",
        chunk=engine.CHUNK,
    )
    for at, outcome in enumerate(outcomes):
        if outcome.value is not None:
            top, left = (part * side_px for part in divmod(at, _COLUMNS))
            whole[top : top + side_px, left : left + side_px] = outcome.value
    return whole


def tile(
    whole: NDArray[np.uint8], at: int, side_px: int = SIDE_PX
) -> NDArray[np.uint8]:
    """Return one thumbnail of a sheet, `(side, side, 3)` uint8."""
    top, left = (part * side_px for part in divmod(at, _COLUMNS))
    return whole[top : top + side_px, left : left + side_px]


def as_address(whole: NDArray[np.uint8]) -> str:
    """Return a sheet as an address that a page can hold."""
    buffer = io.BytesIO()
    Image.fromarray(whole).save(buffer, "JPEG", quality=_QUALITY_PCT, optimize=True)
    packed = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/jpeg;base64,{packed}"


def _small(file: Path, side_px: int) -> NDArray[np.uint8] | None:
    try:
        image = images.decode(images.read_file(file))
    except ImageError:
        return None
    return np.asarray(ImageOps.fit(image.convert("RGB"), (side_px, side_px)))
