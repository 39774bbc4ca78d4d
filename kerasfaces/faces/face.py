"""A face that was found in a picture."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Points = tuple[Point, Point, Point, Point, Point, Point]
Box = tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class Face:
    """A face; pixels from the upper left corner of the upright picture.

    Attributes:
        box: Left, top, right and bottom edge, from the brows to the chin; within the
            picture.
        score: How sure the detector is that this is a face, 0..1.
        landmarks: x, y of left eye, right eye, the nose's tip, the mouth's middle, left
            ear, right ear; left and right as the viewer sees them. They may lie outside
            the picture.
    """

    box: Box
    score: float
    landmarks: Points

    @property
    def inner(self) -> NDArray[np.float64]:
        """Eyes, nose and mouth, `(4, 2)`: x, y. A profile hides an ear first."""
        return np.array(self.landmarks[:4])

    @property
    def size_px(self) -> float:
        """The shorter side of the box."""
        left, top, right, bottom = self.box
        return min(right - left, bottom - top)

    def scaled(self, x: float, y: float) -> "Face":
        """Return the face of a picture whose width and height were multiplied."""
        left, top, right, bottom = self.box
        points: Any = tuple((px * x, py * y) for px, py in self.landmarks)
        return Face((left * x, top * y, right * x, bottom * y), self.score, points)
