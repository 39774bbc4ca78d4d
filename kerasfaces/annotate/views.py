"""A turned square of a picture, as a network sees it, and points in it and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core.errors import ImageError

NO_SIZE = "the face has no size"


class View:
    """A turned square of a picture at another size.

    Args:
        origin: Its upper left corner in the picture, `(2,)` pixels.
        step: From one of its pixels to the next on the right, `(2,)` pixels of the picture.
        side_px: Its side in its own pixels.
    """

    def __init__(
        self, origin: NDArray[np.float64], step: NDArray[np.float64], side_px: int
    ) -> None:
        self._origin, self._step, self._side_px = origin, step, side_px
        self._down = np.array([-step[1], step[0]])

    @classmethod
    def around(
        cls,
        middle: NDArray[np.float64],
        across: NDArray[np.float64],
        side: float,
        side_px: int,
    ) -> "View":
        """Return the square of a side round a point, with `across` level."""
        length = float(np.hypot(*across))
        if not length > 0 or not side > 0:
            raise ImageError(NO_SIZE)
        step = across / length * side / side_px
        down = np.array([-step[1], step[0]])
        return cls(middle - (step + down) * side_px / 2, step, side_px)

    def seen(self, picture: Image.Image) -> NDArray[np.uint8]:
        """Return its pixels `(side, side, 3)`, black beyond the picture.

        Where the picture is finer than the square, its pixels are averaged first.
        """
        origin, step, down = self._origin, self._step, self._down
        fine = float(np.hypot(*step))
        if fine > 1:
            corners = origin + self._side_px * np.array(
                [(0, 0), step, down, step + down]
            )
            low = np.clip(np.floor(corners.min(axis=0)), 0, picture.size)
            high = np.clip(np.ceil(corners.max(axis=0)), 0, picture.size)
            if (high - low).min() < 1:
                raise ImageError(NO_SIZE)
            size = np.maximum(1, np.round((high - low) / fine)).astype(int)
            picture = picture.resize(
                (int(size[0]), int(size[1])),
                Image.Resampling.BILINEAR,
                box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
            )
            scale = size / (high - low)
            origin, step, down = (origin - low) * scale, step * scale, down * scale
        matrix = (step[0], down[0], origin[0], step[1], down[1], origin[1])
        part = picture.transform(
            (self._side_px, self._side_px),
            Image.Transform.AFFINE,
            matrix,
            Image.Resampling.BILINEAR,
        )
        return np.asarray(part)

    def placed(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Return points `(n, 3)` of the square in the picture; depth in its pixels, too."""
        points = points.astype(np.float64)
        plane = self._origin + points[:, :1] * self._step + points[:, 1:2] * self._down
        depth = points[:, 2:] * float(np.hypot(*self._step))
        return np.concatenate([plane, depth], axis=1)
