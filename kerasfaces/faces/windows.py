"""A picture of any size -> square windows on it, such that each face fills enough of one.

The network wants a rim round a face, so the first window is a quarter larger than the
picture: faces that fill it are missed otherwise. It finds a face from about a tenth of a
window's side. So windows of half the side are looked at, and so on until faces of `FACE_PX`
are a tenth; windows overlap by a quarter, which holds whatever the next larger is too
coarse for.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.faces.blazeface import SIDE_PX

FACE_PX = 64  # a face this large is found, however large the picture
_SHARE = 10  # a window's side over the smallest face found in it
_OVERLAP = 0.25
_RIM = 1.25  # side of the first window over that of the picture


class Window(NamedTuple):
    """A square on a picture; it reaches beyond where the picture is shorter.

    Attributes:
        left: Its edge, pixels of the picture, at or below 0 where it reaches beyond.
        top: Its upper edge, pixels of the picture, at or below 0 where it reaches beyond.
        side: In pixels of the picture.
        is_whole: Whether all of the picture is in it.
    """

    left: float
    top: float
    side: float
    is_whole: bool


def windows(height: int, width: int) -> list[Window]:
    """Return the windows on a picture, the whole first."""
    side, smallest = _RIM * max(height, width), float(FACE_PX * _SHARE)
    rows = [Window((width - side) / 2, (height - side) / 2, side, True)]
    while side > smallest:
        side = max(side / 2, smallest)
        places = itertools.product(_starts(height, side), _starts(width, side))
        rows += [Window(left, top, side, False) for top, left in places]
    return rows


def _starts(length: int, side: float) -> list[float]:
    """Return where windows begin that cover a length; in its middle if one is enough."""
    if length <= side:
        return [(length - side) / 2]
    count = math.ceil((length - side) / (side * (1 - _OVERLAP))) + 1
    return [float(start) for start in np.linspace(0, length - side, count)]


def seen(image: Image.Image, window: Window) -> NDArray[np.uint8]:
    """Return a window as the network sees it, `(256, 256, 3)`, black beyond the picture."""
    left, top = max(0.0, window.left), max(0.0, window.top)
    right = min(float(image.width), window.left + window.side)
    bottom = min(float(image.height), window.top + window.side)
    scale = SIDE_PX / window.side
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    box, method = (left, top, right, bottom), Image.Resampling.BILINEAR
    part = image.resize(size, method, box=box, reducing_gap=2.0)
    canvas = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    x = min(round((left - window.left) * scale), SIDE_PX - size[0])
    y = min(round((top - window.top) * scale), SIDE_PX - size[1])
    canvas[y : y + size[1], x : x + size[0]] = np.asarray(part)
    return canvas
