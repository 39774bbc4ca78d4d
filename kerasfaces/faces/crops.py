"""A picture and a face in it -> the square round the face, as a detector of crops sees it.

The square lies within the picture: near a border it is moved, and where the picture is
smaller than the square it is the largest that fits. Nothing is invented beside the picture,
and without alignment or a size nothing is resampled, which would remove traces.
"""

import dataclasses
import math
from typing import Any, Protocol

import numpy as np
from PIL import Image

from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.faces.detection import detect
from kerasfaces.faces.face import Box, Face, Points

MAX_MARGIN = 4.0
NO_FACE = "no face found"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceCrop:
    """How faces are cut out.

    Attributes:
        margin: Of the face's box, on each side, in units of its longer side; 0..4.
        align: Turn the picture until the eyes are level. Every pixel is interpolated.
        size_px: Side of the crop, resized by Lanczos; 0 leaves it as large as it is.
    """

    margin: float = 0.3
    align: bool = False
    size_px: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= MAX_MARGIN:
            raise InputError(f"`margin={self.margin!r}`: expected 0..{MAX_MARGIN:g}.")
        if self.size_px != 0 and not 32 <= self.size_px <= 4096:
            raise InputError(f"`size_px={self.size_px!r}`: expected 0 or 32..4096.")

    @property
    def name(self) -> str:
        """These settings in words, as manifests and runs state them."""
        size = f"{self.size_px} px" if self.size_px else ""
        words = (f"margin {self.margin:g}", "eyes level" * self.align, size)
        return ", ".join(filter(None, words))

    @classmethod
    def of(cls, name: str) -> "FaceCrop":
        """Return the settings that `name` states.

        Raises:
            InputError: It states none.
        """
        margin, size_px, align = None, 0, False
        for word in name.split(", "):
            kind, _, value = word.partition(" ")
            try:
                if kind == "margin":
                    margin = float(value)
                elif word == "eyes level":
                    align = True
                elif value == "px":
                    size_px = int(kind)
                else:
                    raise ValueError
            except ValueError:
                margin = None
                break
        if margin is None:
            raise InputError(
                f"{name[:80]!r} states no crop of faces; expected such as "
                "'margin 0.3, eyes level, 256 px'."
            )
        return cls(margin=margin, align=align, size_px=size_px)


def largest(image: Image.Image) -> Face:
    """Return the largest face of a picture.

    Args:
        image: RGB, upright.

    Raises:
        ImageError: There is none.
        MissingExtraError: See `detect`.
    """
    faces = detect(np.asarray(image))
    if not faces:
        raise ImageError(NO_FACE)
    return faces[0]


class Place(Protocol):
    """Where a face is."""

    @property
    def box(self) -> Box:
        """See `Face`."""

    @property
    def landmarks(self) -> Points | None:
        """See `Face`; only alignment asks for them."""


def cut(image: Image.Image, face: Place, crop: FaceCrop) -> Image.Image:
    """Return the square round a face.

    Args:
        image: RGB, upright.
        face: In its pixels.
        crop: Margin, alignment and size.

    Raises:
        InputError: The eyes are to be level, and nobody knows where they are.
    """
    box = face.box
    if crop.align:
        if not face.landmarks:
            raise InputError(
                "these faces have no landmarks to level the eyes by; use a detector of "
                "faces that finds them, such as `kerasfaces.faces.detect`."
            )
        placed = Face(box, 1.0, face.landmarks)
        image, placed = aligned(*_around(image, placed, crop.margin))
        box = placed.box
    part = image.crop(square(box, image.size, crop.margin))
    if crop.size_px and part.size != (crop.size_px, crop.size_px):
        part = part.resize((crop.size_px, crop.size_px), Image.Resampling.LANCZOS)
    return part


def square(box: Box, size: tuple[int, int], margin: float) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a square round a box, whole pixels.

    Args:
        box: See `Face`.
        size: Width and height of the picture.
        margin: See `FaceCrop`.
    """
    left, top, right, bottom = box
    wanted = round(max(right - left, bottom - top) * (1 + 2 * margin))
    side = max(1, min(wanted, *size))
    starts = []
    for low, high, length in ((left, right, size[0]), (top, bottom, size[1])):
        start = round((low + high - side) / 2)
        starts.append(min(max(0, start), length - side))
    return starts[0], starts[1], starts[0] + side, starts[1] + side


def _around(image: Image.Image, face: Face, margin: float) -> tuple[Image.Image, Face]:
    """Return as much of a picture as a turned square round a face may reach, and the face."""
    left, top, right, bottom = face.box
    reach = math.ceil(1.5 * max(right - left, bottom - top) * (1 + 2 * margin)) + 2
    x, y = round((left + right) / 2), round((top + bottom) / 2)
    start = max(0, x - reach), max(0, y - reach)
    end = min(image.width, x + reach), min(image.height, y + reach)
    offset = np.array(start)
    edges: list[float] = (np.reshape(face.box, (2, 2)) - offset).ravel().tolist()
    points: list[list[float]] = (np.array(face.landmarks) - offset).tolist()
    box = edges[0], edges[1], edges[2], edges[3]
    moved = dataclasses.replace(face, box=box, landmarks=_points(points))
    return image.crop((*start, *end)), moved


def aligned(image: Image.Image, face: Face) -> tuple[Image.Image, Face]:
    """Return a picture turned about a face until its eyes are level, and the face there.

    What the turn brings in from outside the picture is its mirror image.
    """
    (x, y), (other_x, other_y) = face.landmarks[:2]
    angle = math.atan2(other_y - y, other_x - x)
    left, top, right, bottom = face.box
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    cos, sin = math.cos(angle), math.sin(angle)
    to_source = np.array([[cos, -sin], [sin, cos]])
    # The corners of the turned frame lie this far outside the picture at most.
    width, height = image.size
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)], float)
    sources = (corners - middle) @ to_source.T + middle
    outside = np.concatenate([-sources, sources - (width, height)]).max()
    pad = math.ceil(max(0.0, outside)) + 2
    padded = np.pad(np.asarray(image), [(pad, pad), (pad, pad), (0, 0)], "symmetric")
    offset = middle - to_source @ middle + pad
    data = (cos, -sin, float(offset[0]), sin, cos, float(offset[1]))
    turned = Image.fromarray(padded).transform(
        image.size, Image.Transform.AFFINE, data, Image.Resampling.BICUBIC
    )
    points = (np.array(face.landmarks) - middle) @ to_source + middle
    return turned, dataclasses.replace(face, landmarks=_points(points.tolist()))


def _points(values: list[list[float]]) -> Any:
    return tuple((x, y) for x, y in values)
