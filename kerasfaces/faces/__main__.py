"""MTCNN in its process: images come in on stdin, lines of JSON go out on stdout.

Not for people: `FaceFinder` starts it. The published package is called as it is, with
three exceptions, each for a reason:

- its networks run compiled and at fixed batch sizes, which is three times faster, and
  makes an image's boxes independent of the number of proposals before it;
- the picture is brought to a square of `SIDE_PX` first: with any other pair of size and
  `min_face_size` the package's smallest pyramid level can fall below the network's
  input, and it then reports no face at all;
- box coordinates are brought back to the picture's pixels here.
"""

import importlib
import json
import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core import machine, numerics
from kerasfaces.faces import SIDE_PX, read_image

_BATCHES = (1, 32, 8)  # proposal, refinement and output network


def main() -> int:
    """Answer until the other side closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever else is printed must not stand among the answers
    machine.end_with(os.getppid())
    numerics.import_keras()
    # By name: in the process that calls these, there is no torch.
    tf = importlib.import_module("tensorflow")
    mtcnn = importlib.import_module("mtcnn").MTCNN()
    for stage, batch in zip(mtcnn.stages, _BATCHES, strict=True):
        stage._model = _Fixed(tf, stage.model, batch)
    while (image := read_image(sys.stdin.buffer)) is not None:
        try:
            answer: dict[str, object] = {"faces": _faces(mtcnn, image)}
        except Exception as error:  # noqa: BLE001 -- the parent says it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer).encode() + b"\n")
    return 0


def _faces(mtcnn: Any, image: NDArray[np.uint8]) -> list[list[float]]:
    """Return all faces of `(h, w, 3)` uint8, in the picture's pixels.

    Each is x, y, width, height, confidence, then x, y of left eye, right eye, nose, left
    and right corner of the mouth.
    """
    height, width = image.shape[:2]
    scale = max(height, width) / SIDE_PX
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    small = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
    square = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    square[: size[1], : size[0]] = np.asarray(small)
    rows = mtcnn.detect_faces(square, output_type="numpy")
    faces = []
    for row in np.asarray(rows, np.float64).reshape(-1, 16):
        x, y, w, h = row[1:5] * scale
        left, top = max(x, 0.0), max(y, 0.0)
        right, bottom = min(x + w, float(width)), min(y + h, float(height))
        if right - left < 1 or bottom - top < 1:
            continue
        points = np.stack([row[6:11], row[11:16]], axis=1) * scale
        face = [left, top, right - left, bottom - top, row[5], *points.ravel()]
        faces.append([round(float(value), 4) for value in face])
    return faces


class _Fixed:
    """A network that always sees the same number of inputs, the missing ones zeros."""

    def __init__(self, tf: Any, model: Any, batch: int) -> None:
        self._tf, self._batch = tf, batch
        self._run = tf.function(lambda inputs: model(inputs, training=False))

    def __call__(self, inputs: Any) -> list[Any]:
        count = int(inputs.shape[0])
        steps = max(1, -(-count // self._batch))
        rest = steps * self._batch - count
        padded = self._tf.pad(inputs, [[0, rest], [0, 0], [0, 0], [0, 0]])
        parts = [
            self._run(padded[at * self._batch : (at + 1) * self._batch])
            for at in range(steps)
        ]
        return [
            self._tf.concat(outputs, 0)[:count] for outputs in zip(*parts, strict=True)
        ]


if __name__ == "__main__":
    sys.exit(main())
