"""What every mask module promises, and the geometry they share.

A module `kerasfaces/channels/masks/NAME.py` has two names: `Options`, a frozen
keyword-only dataclass of JSON types, and `build(options) -> Mask`, which raises an InputError,
a MissingFileError or a MissingExtraError whose message has the next step.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import ImageError
from kerasfaces.core.files import Json
from kerasfaces.faces import Face
from kerasfaces.faces.crops import NO_FACE as NO_FACE

MISSED = "mask misses the face"
_LANDMARKS_INSIDE = 3  # of four; the nose's tip or an eye may leave a profile
_LEAST_OF_BOX = 0.3  # a mask with less of the face's box lies on a part of it


class Mask(Protocol):
    """Finds the face's pixels; the same image and face give the same mask.

    Attributes:
        needs_faces: Whether `compute` wants a `Face`.
    """

    needs_faces: bool

    @property
    def made_by(self) -> Json:
        """What decides the mask apart from the options, JSON types.

        Hashes of weights, versions of libraries.
        """

    def compute(self, image: NDArray[np.uint8], face: Face | None) -> NDArray[np.bool_]:
        """Return the pixels to keep.

        Args:
            image: `(h, w, 3)` uint8, sRGB.
            face: Its main face, in the image's pixels.

        Returns:
            `(h, w)` bool, True = face.

        Raises:
            ImageError: There is no face, or no mask of it; the message is the reason
                that the stage counts and names.
        """


def require(face: Face | None) -> Face:
    """Return the face, or raise `ImageError` where there is none."""
    if face is None:
        raise ImageError(NO_FACE)
    return face


def share_inside(mask: NDArray[np.bool_], points: NDArray[np.float64]) -> float:
    """Return the share of `(n, 2)` points (x, y) on the mask, none of those outside."""
    height, width = mask.shape
    x, y = np.floor(points).astype(int).T
    within = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    return float(mask[y[within], x[within]].sum() / len(points))


def covers(mask: NDArray[np.bool_], face: Face) -> bool:
    """Tell whether a mask holds the face: its landmarks, and a good part of its box."""
    height, width = mask.shape
    points = face.inner
    seen = ((points >= 0) & (points < (width, height))).all(axis=1)
    lost = seen.sum() - share_inside(mask, points) * len(points)
    if not seen.any() or lost > len(points) - _LANDMARKS_INSIDE:
        return False
    left, top, right, bottom = (max(0, round(edge)) for edge in face.box)
    inner = mask[top:bottom, left:right]
    return bool(inner.size and inner.mean() >= _LEAST_OF_BOX)


def check(mask: NDArray[np.bool_], face: Face) -> NDArray[np.bool_]:
    """Return the mask, or raise `ImageError` where it does not hold the face."""
    if not covers(mask, face):
        raise ImageError(MISSED)
    return mask


def frame(face: Face) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return a face's middle (x, y), its unit vector from eyes to mouth and its unit.

    The unit of length is the greater of the distances eye to eye and eyes to mouth, in
    pixels. In a profile the first shrinks, in a face that looks up or down the second.
    """
    left, right, _, mouth = face.inner
    eyes = (left + right) / 2
    down = mouth - eyes
    across = right - left
    # Both axes tell the roll; together they are steadier than either.
    direction = down + np.array([-across[1], across[0]])
    length = float(np.hypot(*direction))
    axis = direction / length if length > 1e-6 else np.array([0.0, 1.0])
    unit = max(float(np.hypot(*down)), float(np.hypot(*across)), 1.0)
    return (eyes + mouth) / 2, axis, unit


def ellipse(
    shape: tuple[int, ...],
    face: Face,
    half_width: float,
    half_height: float,
    shift: float,
) -> NDArray[np.bool_]:
    """Return an upright ellipse of the face's own frame in an image of `shape`.

    Lengths are in units of `frame`; `shift` moves it towards the chin (negative: the
    hair).
    """
    middle, axis, unit = frame(face)
    middle = middle + axis * shift * unit
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    dx, dy = x - middle[0], y - middle[1]
    along = (dx * axis[0] + dy * axis[1]) / (half_height * unit)
    across = (dx * axis[1] - dy * axis[0]) / (half_width * unit)
    inside: NDArray[np.bool_] = along**2 + across**2 <= 1
    return inside
