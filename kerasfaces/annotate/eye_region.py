"""A face -> its eyes, level and at one size, and what edges there tell of glasses.

The patch is 80 x 40 px of grey with the eyes 32 px apart, brows above and cheeks below. Its
gradients are counted by place and direction (Dalal and Triggs 2005, "Histograms of Oriented
Gradients for Human Detection"): frames are long edges where a bare face has few. The bridge
is the strip between the eyes, where only a frame has an edge across (kabber2023 looks there).
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.annotate.contract import Floats
from kerasfaces.core.errors import ImageError
from kerasfaces.faces import Face

WIDTH_PX, HEIGHT_PX = 80, 40
N_HISTOGRAM = 300  # 5 x 10 places, 6 directions
_EYES_PX, _EYES_AT = 32.0, (40.0, 14.0)
_ROWS, _COLUMNS, _DIRECTIONS = 5, 10, 6
_LEAST_EYES_PX = 8.0  # below, frames are thinner than a pixel
_ROOM = 1.75  # half a side of what is cut out, in eye distances
_STRIP = slice(36, 44), slice(4, 24)  # columns and rows between the eyes
TOO_SMALL = "the eyes are too near to each other to see glasses"


def patch(image: NDArray[np.uint8], face: Face) -> Floats:
    """Return the region of the eyes, `(40, 80)`, grey levels.

    Args:
        image: `(h, w, 3)` uint8, sRGB.
        face: In its pixels.

    Raises:
        ImageError: The eyes are less than 8 px apart.
    """
    left, right = np.array(face.landmarks[0]), np.array(face.landmarks[1])
    middle, across = (left + right) / 2, right - left
    distance = float(np.hypot(*across))
    if distance < _LEAST_EYES_PX:
        raise ImageError(TOO_SMALL)
    corner = middle - _ROOM * distance
    box = (*corner, *(corner + 2 * _ROOM * distance))
    picture = Image.fromarray(image).convert("L")
    # twice the patch's resolution, averaged where the picture has more
    side = round(2 * _ROOM * 2 * _EYES_PX)
    whole = tuple(round(edge) for edge in box)
    scale = 2 * _EYES_PX / distance
    part = picture.crop(whole)
    if scale < 1:
        part = part.resize((side, side), Image.Resampling.LANCZOS)
    scale = part.width / (whole[2] - whole[0])
    centre = (middle - np.array(whole[:2])) * scale
    x, y = across * scale / _EYES_PX
    at_x, at_y = _EYES_AT
    matrix = (
        *(x, -y, centre[0] - x * at_x + y * at_y),
        *(y, x, centre[1] - y * at_x - x * at_y),
    )
    size = (WIDTH_PX, HEIGHT_PX)
    turned = part.transform(
        size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    return np.asarray(turned, np.float32)


def histograms(grey: Floats) -> Floats:
    """Return gradients by place and direction, `(300,)`, square roots of shares.

    Args:
        grey: `(40, 80)` grey levels of the eyes' region, from `patch`.
    """
    down = grey[2:, 1:-1] - grey[:-2, 1:-1]
    across = grey[1:-1, 2:] - grey[1:-1, :-2]
    strength = np.hypot(across, down)
    turn = np.arctan2(down, across) % np.pi / np.pi * _DIRECTIONS
    low = np.floor(turn).astype(int) % _DIRECTIONS
    share = turn - np.floor(turn)
    rows = np.arange(len(grey) - 2) * _ROWS // (len(grey) - 2)
    columns = np.arange(grey.shape[1] - 2) * _COLUMNS // (grey.shape[1] - 2)
    counts = np.zeros((_ROWS, _COLUMNS, _DIRECTIONS))
    for at, weights in ((low, 1 - share), ((low + 1) % _DIRECTIONS, share)):
        np.add.at(counts, (rows[:, None], columns[None], at), strength * weights)
    usual = np.sqrt((counts**2).mean()) + 1e-3
    shares: Floats = np.sqrt(counts / usual).ravel().astype(np.float32)
    return shares


def bridge(grey: Floats) -> float:
    """Return the strongest edge across the strip between the eyes.

    A row's edge is the mean vertical gradient over the strip's width, so wrinkles and
    shadows that do not cross it count little; over the patch's usual gradient.

    Args:
        grey: `(40, 80)` grey levels of the eyes' region, from `patch`.
    """
    down = grey[2:] - grey[:-2]
    columns, rows = _STRIP
    crossing = np.abs(down[rows, columns].mean(axis=1)).max()
    return float(crossing / (np.abs(down).mean() + 1.0))
