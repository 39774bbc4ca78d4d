"""BlazeFace: pictures of 256 px -> places where a face may be, with scores.

Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019
(arXiv 1907.05047); MediaPipe's network for rear cameras, with its weights (Apache-2.0), as
`experiments.blazeface` wrote it. Run by ONNX Runtime, or by OpenVINO where that is what is installed.
"""

import functools
import hashlib
import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import MissingExtraError, MissingFileError, RunError
from kerasfaces.core.files import Json, read_json
from kerasfaces.graphs import session

SIDE_PX = 256  # of what the network sees
WEIGHTS = Path(__file__).with_name("weights") / "blazeface.onnx"
MISSING = (
    "finding faces needs onnxruntime or openvino, and neither is installed; run: "
    "pip install 'kerasfaces[faces]'"
)
_GRIDS = ((16, 2), (8, 6))  # cells per side, anchors in each cell
_LARGEST_LOGIT = 80.0
_BATCH = 16  # pictures at once: bounds memory


def is_available() -> bool:
    """Tell whether a runtime is installed; imports nothing."""
    return session.is_available()


def recipe() -> Json:
    """Return what decides the faces, JSON types.

    Raises:
        MissingFileError: The package came without its weights.
    """
    return {"detector": "blazeface", "sha256": _note()["sha256"], "rules": 2}


def candidates(
    pictures: NDArray[np.uint8], least_score: float
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return where faces may be in each picture; one face has many places.

    Args:
        pictures: `(n, 256, 256, 3)` uint8, sRGB.
        least_score: 0..1; places below are left out.

    Returns:
        Per picture, places `(m, 8, 2)` and scores `(m,)`. A place is x, y of: the box's
        upper left and lower right corner, then six landmarks (`Face.landmarks`); pixels.

    Raises:
        MissingExtraError: Neither runtime is installed.
        MissingFileError: The package came without its weights.
        RunError: The weights are damaged, or the runtime fails on them.
    """
    run, anchors = _network(), _anchors()
    by_picture: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for at in range(0, len(pictures), _BATCH):
        outputs = run(np.ascontiguousarray(pictures[at : at + _BATCH]))
        for logits, raw in zip(*outputs, strict=True):
            logits = np.clip(logits.astype(np.float64), -_LARGEST_LOGIT, _LARGEST_LOGIT)
            scores = 1 / (1 + np.exp(-logits))
            likely = scores >= least_score
            by_picture.append((_places(raw[likely], anchors[likely]), scores[likely]))
    return by_picture


def _places(
    raw: NDArray[np.float32], anchors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return places `(m, 8, 2)`, given the network's: centre, size, landmarks."""
    pairs = raw.astype(np.float64).reshape(-1, 8, 2)
    centre, half = pairs[:, 0] + anchors, pairs[:, 1] / 2
    points = pairs[:, 2:] + anchors[:, None]
    return np.concatenate(
        [(centre - half)[:, None], (centre + half)[:, None], points], 1
    )


@functools.cache
def _anchors() -> NDArray[np.float64]:
    """Return each anchor's x, y `(896, 2)`: the middles of cells, row by row, pixels."""
    parts = []
    for cells, count in _GRIDS:
        middles = (np.arange(cells) + 0.5) * SIDE_PX / cells
        grid = np.array([(x, y) for y, x in itertools.product(middles, middles)])
        parts.append(grid.repeat(count, axis=0))
    return np.concatenate(parts)


@functools.cache
def _network() -> session.Run:
    if not is_available():
        raise MissingExtraError(MISSING)
    outputs = "logits", "places"
    return session.open_graph(_bytes(), outputs, "the detector of faces", MISSING)


@functools.cache
def _note() -> Json:
    note: Json = read_json(WEIGHTS.with_suffix(".json"))
    return note


def _bytes() -> bytes:
    """Return the weights' file, once its hash was found right."""
    try:
        data = WEIGHTS.read_bytes()
    except OSError as error:
        raise MissingFileError(
            f"{WEIGHTS} cannot be read ({error.strerror}); reinstall kerasfaces."
        ) from error
    if hashlib.sha256(data).hexdigest() != _note()["sha256"]:
        raise RunError(
            f"{WEIGHTS} is damaged (its SHA-256 differs); reinstall kerasfaces."
        )
    return data
