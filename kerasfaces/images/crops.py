"""Squares cut from a picture at its own resolution: resizing would remove its traces.

The first is the centre, then come the corners (top left, bottom right, top right, bottom
left), then the middles of the edges (top, bottom, left, right). Where a side of the picture
is shorter than the square, the picture is first continued by its mirror image, evenly on
both sides.
"""

import numpy as np
from numpy.typing import NDArray

# share of the free height and of the free width before the square
_PLACES = (
    (0.5, 0.5),
    (0.0, 0.0),
    (1.0, 1.0),
    (0.0, 1.0),
    (1.0, 0.0),
    (0.0, 0.5),
    (1.0, 0.5),
    (0.5, 0.0),
    (0.5, 1.0),
)
MAX_CROPS = len(_PLACES)


def squares(image: NDArray[np.uint8], size_px: int, count: int) -> NDArray[np.uint8]:
    """Return squares of an image, one below the other.

    Args:
        image: `(h, w, 3)` uint8, sRGB.
        size_px: Side of a square.
        count: Number of squares, 1..`MAX_CROPS`.

    Returns:
        `(count * size_px, size_px, 3)` uint8.
    """
    margins = [(short // 2, short - short // 2) for short in missing_px(image, size_px)]
    image = np.pad(image, [*margins, (0, 0)], mode="symmetric")
    free = [side - size_px for side in image.shape[:2]]
    parts = []
    for place in _PLACES[:count]:
        top, left = (int(share * gap) for share, gap in zip(place, free, strict=True))
        parts.append(image[top : top + size_px, left : left + size_px])
    return np.concatenate(parts)


def missing_px(image: NDArray[np.uint8], size_px: int) -> tuple[int, int]:
    """Return by how much height and width are shorter than a square's side."""
    height, width = image.shape[:2]
    return max(0, size_px - height), max(0, size_px - width)
