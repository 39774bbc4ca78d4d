"""A picture -> how many faces it has, and where the main one is, looks and how sharp it is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.annotate import pose
from kerasfaces.annotate.contract import Floats
from kerasfaces.faces import Face, detect
from kerasfaces.faces.detection import central
from kerasfaces.images import sharpness

VERSION = 1
NAMES = (
    *("n_faces", "left", "top", "right", "bottom", "score"),
    *(f"landmark_{number}_{axis}" for number in range(6) for axis in "xy"),
    *("yaw_deg", "pitch_deg", "roll_deg", "sharpness"),
)
SIZE = len(NAMES)
LEAST_PX = 24  # a smaller face gets no attributes
_SHOWN = 1  # digits after the point in a manifest


def look(image: NDArray[np.uint8]) -> Floats:
    """Return the numbers of `NAMES`; without a face NaN from the second.

    `sharpness` is the variance of the Laplacian within the face's box, grey levels squared
    (`images.sharpness`); NaN where the box is below 24 px.

    Args:
        image: `(h, w, 3)` uint8, sRGB, upright.

    Raises:
        MissingExtraError: No runtime for the detector of faces is installed.
    """
    faces = detect(image)
    numbers = np.full(SIZE, np.nan, np.float32)
    numbers[0] = len(faces)
    face = central(faces, image.shape[1], image.shape[0])
    if face is None:
        return numbers
    numbers[1:5], numbers[5] = face.box, face.score
    numbers[6:18] = np.ravel(face.landmarks)
    numbers[18:21] = pose.of_landmarks(np.array(face.landmarks))
    left, top, right, bottom = map(round, face.box)
    part = Image.fromarray(image).crop((left, top, right, bottom))
    numbers[21] = sharpness.measure(part).get("laplacian_variance", np.nan)
    return numbers


def main_face(numbers: Floats) -> Face | None:
    """Return the face that the numbers of `NAMES` describe; None where there is none."""
    if not numbers[0] > 0:
        return None
    points: Any = tuple(tuple(map(float, point)) for point in landmarks(numbers))
    left, top, right, bottom = map(float, numbers[1:5])
    return Face((left, top, right, bottom), float(numbers[5]), points)


def columns(numbers: Floats) -> dict[str, str]:
    """Return the `face_*` cells of one picture; empty texts where there is no face.

    Args:
        numbers: `(SIZE,)`, see `NAMES`.
    """
    named = dict(zip(NAMES, map(float, numbers), strict=True))
    box = [named[edge] for edge in ("left", "top", "right", "bottom")]
    size = size_px(numbers)
    has_face = named["n_faces"] > 0
    cells = {
        "face_count": f"{named['n_faces']:.0f}",
        "face_box": " ".join(f"{edge:.{_SHOWN}f}" for edge in box) if has_face else "",
        "face_score": f"{named['score']:.4f}" if has_face else "",
        "face_size_px": f"{size:.0f}" if has_face else "",
    }
    for name in ("yaw_deg", "pitch_deg", "roll_deg", "sharpness"):
        value = named[name]
        cells[f"face_{name}"] = "" if np.isnan(value) else f"{value:.{_SHOWN}f}"
    return cells


def size_px(numbers: Floats) -> float:
    """Return the shorter side of the main face's box; NaN where there is no face."""
    left, top, right, bottom = map(float, numbers[1:5])
    return min(right - left, bottom - top)


def landmarks(numbers: Floats) -> Floats:
    """Return the main face's landmarks `(6, 2)`, pixels; NaN where there is no face."""
    return numbers[6:18].reshape(6, 2)
