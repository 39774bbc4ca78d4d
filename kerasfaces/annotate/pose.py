"""Six landmarks of a face -> which way it looks.

The landmarks are the scaled orthographic picture of a rigid mean face; the rotation is the
one nearest to the least-squares affine map (Horn, Hilden and Negahdaripour 1988, closed-form
absolute orientation by orthonormal matrices). A mean face is nobody's: read the angles as
rough, some degrees off.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# x to the viewer's right, y down, z towards the viewer, in units of the distance between the
# eyes: eyes, nose's tip, mouth's middle, ears (rounded proportions of an adult's face).
_MEAN_FACE = np.array(
    [
        (-0.5, 0.0, 0.0),
        (0.5, 0.0, 0.0),
        (0.0, 0.55, 0.45),
        (0.0, 1.05, 0.15),
        (-1.1, 0.25, -1.15),
        (1.1, 0.25, -1.15),
    ]
)


class Pose(NamedTuple):
    """Which way a face looks, in degrees.

    Attributes:
        yaw_deg: Positive towards the viewer's right.
        pitch_deg: Positive downwards.
        roll_deg: Positive clockwise as the viewer sees it.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def of_landmarks(points: NDArray[np.float64]) -> Pose:
    """Return the pose that six landmarks show.

    Args:
        points: `(6, 2)`, x and y in pixels, in the order of `Face.landmarks`.
    """
    model = _MEAN_FACE - _MEAN_FACE.mean(axis=0)
    picture = points - points.mean(axis=0)
    # (3, 2): picture = model @ affine
    affine, *_ = np.linalg.lstsq(model, picture, rcond=None)
    left, _, right = np.linalg.svd(affine.T, full_matrices=False)
    rows = left @ right
    return of_rotation(np.vstack([rows, np.cross(rows[0], rows[1])]))


def of_rotation(rotation: NDArray[np.float64]) -> Pose:
    """Return the angles of a rotation `(3, 3)` in the axes of the mean face."""
    ahead = rotation[:, 2]  # where the nose points
    yaw = math.degrees(math.atan2(ahead[0], ahead[2]))
    pitch = math.degrees(math.asin(max(-1.0, min(1.0, float(ahead[1])))))
    across = rotation[:, 0]
    roll = math.degrees(math.atan2(across[1], math.hypot(across[0], across[2])))
    return Pose(yaw, pitch, roll)
