"""An image that hardly differs -> does the map stay? And how much of it is on the face.

Maps are compared as pictures show them (`contract.smooth`), by rank.
"""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.explain.contract import Map, Pixels, smooth

QUALITY_PCT = 90  # of the JPEG copy
_SHIFT_SHARE = 28  # of the side: 8 px of 224


def shift_px(size_px: int) -> int:
    """Return by how much the shifted copy is moved, right and down."""
    return max(1, size_px // _SHIFT_SHARE)


def jpeg_agreement(map_: Map, image: Pixels, map_of: Callable[[Pixels], Map]) -> float:
    """Return the rank correlation with the map of the image saved as JPEG 90.

    `map_`: `(s, s)`, of `image`: `(s, s, 3)`; `map_of`: image -> `(s, s)`.
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=QUALITY_PCT)
    with Image.open(buffer) as saved:
        other = map_of(np.asarray(saved.convert("RGB")))
    return rank_correlation(smooth(map_), smooth(other))


def shift_agreement(map_: Map, image: Pixels, map_of: Callable[[Pixels], Map]) -> float:
    """Return the rank correlation with the map of the image moved by `shift_px`.

    What comes in at the border is the mirror image; only what both show is compared.
    """
    by = shift_px(image.shape[0])
    moved = np.pad(image, [(by, 0), (by, 0), (0, 0)], "reflect")[:-by, :-by]
    return rank_correlation(smooth(map_)[:-by, :-by], smooth(map_of(moved))[by:, by:])


def rank_correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return Spearman's correlation of two maps; NaN where one has a single value."""
    from scipy.stats import rankdata

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    pair = [rankdata(each.ravel()) for each in (one, other)]
    return float(np.corrcoef(*pair)[0, 1])


def heat_in_face(map_: Map, image: Pixels) -> tuple[float, float]:
    """Return the share of a map's absolute sum in the main face's box, and the box's area.

    Both 0..1; NaN where no face is found, or nothing here finds faces.
    """
    from kerasfaces import faces

    total = float(np.abs(map_).sum(dtype=np.float64))
    face = faces.main_face(image) if faces.is_available() else None
    if face is None or total == 0:
        return float("nan"), float("nan")
    left, top, right, bottom = (round(edge) for edge in face.box)
    inside = np.abs(map_[top:bottom, left:right])
    area = inside.size / map_.size
    return float(inside.sum(dtype=np.float64)) / total, area
