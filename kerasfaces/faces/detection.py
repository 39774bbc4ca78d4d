"""Pixels -> every face in them, the one detector for all stages."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core.errors import InputError
from kerasfaces.faces import blazeface
from kerasfaces.faces.blazeface import SIDE_PX
from kerasfaces.faces.face import Face
from kerasfaces.faces.windows import Window, seen, windows

MIN_SCORE = 0.5  # MediaPipe's own
# In a part of a picture: chosen on 148 portraits of 1024 px (every second of CelebA-HQ,
# every third of the House's), of which 19 had more than their one face at .5.
PART_SCORE = 0.75
_SAME = 0.3  # intersection over union of places that are one face; MediaPipe's own
_INSIDE = 0.6  # share of the smaller of two boxes from which they are one face
_RIM = 0.02  # of a window's side: a box that comes so near to its edge may be cut off
_LARGEST = 0.5  # of a window's side: the next larger window shows larger ones better
_CHUNK = 64  # windows
_OFFSET_WEIGHT = 2.0
Floats = NDArray[np.float64]


def detect(image: NDArray[np.uint8], min_score: float = MIN_SCORE) -> tuple[Face, ...]:
    """Return every face in a picture, the largest first.

    Faces of 64 px are looked for in pictures of any size (`windows`); places that are one
    face are averaged by their scores, as BlazeFace's paper has it (section 3.3, "tie
    resolution").

    Args:
        image: `(h, w, 3)` uint8, sRGB, upright.
        min_score: 0..1; what scores less is no face. In windows on a part of a picture
            that is at least .75.

    Raises:
        InputError: An array of another shape or type.
        MissingExtraError: Neither ONNX Runtime nor OpenVINO is installed.
        RunError: The weights of the package are damaged.
    """
    image = np.asarray(image)
    is_picture = image.ndim == 3 and image.shape[2] == 3 and image.size
    if image.dtype != np.uint8 or not is_picture:
        raise InputError(
            "a picture to find faces in: expected uint8 of shape (h, w, 3), got "
            f"{image.dtype} of shape {image.shape}."
        )
    height, width = image.shape[:2]
    limits = np.array([width, height], np.float64)
    faces = []
    for place, score in _joined(*_candidates(Image.fromarray(image), min_score)):
        box = np.clip(place[:2], 0, limits).ravel()
        if min(box[2] - box[0], box[3] - box[1]) >= 1:
            points: Any = tuple((float(x), float(y)) for x, y in place[2:])
            left, top, right, bottom = map(float, box)
            faces.append(Face((left, top, right, bottom), float(score), points))
    return tuple(sorted(faces, key=lambda face: face.size_px, reverse=True))


def main_face(image: NDArray[np.uint8]) -> Face | None:
    """Return a picture's main face (`central`); None where there is none.

    Args:
        image: `(h, w, 3)` uint8, sRGB, upright.

    Raises:
        InputError, MissingExtraError, RunError: See `detect`.
    """
    height, width = map(int, image.shape[:2])
    return central(detect(image), width, height)


def central(faces: Sequence[Face], width: int, height: int) -> Face | None:
    """Return the largest central face: the greatest area - 2 · (offset from the middle)².

    Args:
        faces: Faces of one picture.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
    """

    def weight(face: Face) -> float:
        left, top, right, bottom = face.box
        x, y = (left + right - width) / 2, (top + bottom - height) / 2
        area, offset = (right - left) * (bottom - top), x * x + y * y
        return area - _OFFSET_WEIGHT * offset

    return max(faces, key=weight, default=None)


def _candidates(image: Image.Image, min_score: float) -> tuple[Floats, Floats]:
    """Return places `(m, 8, 2)` in the picture's pixels, and scores `(m,)`."""
    views = windows(image.height, image.width)
    places, scores = [np.zeros((0, 8, 2))], [np.zeros(0)]
    for at in range(0, len(views), _CHUNK):
        chunk = views[at : at + _CHUNK]
        pictures = np.stack([seen(image, view) for view in chunk])
        answers = blazeface.candidates(pictures, min_score)
        for view, (inside, sure) in zip(chunk, answers, strict=True):
            if not view.is_whole:
                certain = sure >= PART_SCORE
                inside, sure = inside[certain], sure[certain]
            in_picture = inside * (view.side / SIDE_PX) + (view.left, view.top)
            fits = _whole(in_picture, view, image.size)
            places.append(in_picture[fits])
            scores.append(sure[fits])
    return np.concatenate(places), np.concatenate(scores)


def _whole(places: Floats, view: Window, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Tell which places a window shows whole, and no larger one better."""
    if view.is_whole:
        return np.ones(len(places), bool)
    start = np.array([view.left, view.top])
    end = start + view.side
    rim = _RIM * view.side
    low = np.where(start <= 0, -np.inf, start + rim)
    high = np.where(end >= size, np.inf, end - rim)
    inside = (places[:, 0] >= low).all(1) & (places[:, 1] <= high).all(1)
    sides = (places[:, 1] - places[:, 0]).max(1)
    return np.asarray(inside & (sides <= _LARGEST * view.side))


def _joined(places: Floats, scores: Floats) -> Iterator[tuple[Floats, float]]:
    """Yield each face once: the places that overlap its best one, averaged by score."""
    order = np.argsort(-scores, kind="stable")
    places, scores = places[order], scores[order]
    taken: list[Floats] = []
    while len(places):
        shared, areas = _overlap(places[0], places)
        union = areas + areas[0] - shared
        same = shared > _SAME * union
        same[0] = True
        mean = np.average(places[same], axis=0, weights=scores[same])
        if not any(_is_inside(mean, other) for other in taken):
            taken.append(mean)
            yield mean, float(scores[0])
        places, scores = places[~same], scores[~same]


def _is_inside(place: Floats, other: Floats) -> bool:
    """Tell whether one of two boxes lies in the other, more or less."""
    shared, areas = _overlap(place, np.stack([place, other]))
    return bool(shared[1] > _INSIDE * areas.min())


def _overlap(place: Floats, places: Floats) -> tuple[Floats, Floats]:
    """Return the area that a box shares with each of others, and their areas, px²."""
    low, high = np.maximum(place[0], places[:, 0]), np.minimum(place[1], places[:, 1])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    return shared, np.clip(places[:, 1] - places[:, 0], 0, None).prod(axis=1)
