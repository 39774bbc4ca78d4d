"""Where the face is: pixels -> box and five landmarks, by MTCNN in its own process.

Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", 2016 (arXiv 1604.02878); package `mtcnn`, which carries its weights and runs
on TensorFlow. The channel stage, whose masks need faces, runs torch, and one process
never loads both: each brings native libraries and threads of its own and takes the
accelerator for itself. So `FaceFinder` starts `python -m kerasfaces.faces`, sends it
pixels through a pipe and reads boxes and landmarks back. That process ends with its
parent, and one that dies of an image is a sentence.

The pipe: height and width, then the bytes of the pixels; answers are one line of JSON,
`{"faces": [[x, y, w, h, confidence, x1, y1, …]]}` or `{"error": "…"}`.

What is found depends on the image alone, not on its neighbours in a call, and is
remembered in the cache folder by the hash of the pixels.
"""

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from kerasfaces import store
from kerasfaces.core import config
from kerasfaces.core.errors import MissingExtraError, RunError
from kerasfaces.faces._memory import Memory
from kerasfaces.faces.blazeface import is_available as is_available
from kerasfaces.faces.detection import detect as detect

SIDE_PX = 160  # what the detector sees; faces under an eighth of the side are not found
_OFFSET_WEIGHT = 2.0
_SIZES = struct.Struct("<II")
Point = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Face:
    """The largest central face of an image; pixels from the top left corner, left and right as the viewer sees them.

    Attributes:
        box: x, y, width, height; clipped to the image.
        points: x, y of left eye, right eye, the nose's tip, left and right corner of the
            mouth.
        confidence: 0..1.
    """

    box: tuple[float, float, float, float]
    points: tuple[Point, Point, Point, Point, Point]
    confidence: float

    @property
    def landmarks(self) -> NDArray[np.float64]:
        """The five points as `(5, 2)`: x, y."""
        return np.array(self.points)


def recipe() -> dict[str, Any]:
    """Return what decides the faces found, JSON types; imports nothing.

    Raises:
        MissingExtraError: `mtcnn` is not installed.
    """
    try:
        version = importlib.metadata.version("mtcnn")
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtraError(
            "mtcnn is not installed; run: pip install 'kerasfaces[channels]', or use "
            "`mask='none'`."
        ) from error
    return {"detector": "mtcnn", "version": version, "side_px": SIDE_PX, "rules": 1}


def choose(faces: Sequence[Sequence[float]], height: int, width: int) -> Face | None:
    """Return the largest central face: the greatest area − 2 · (offset from the middle)².

    Args:
        faces: Per face x, y, width, height, confidence, then x, y of five landmarks.
        height: Of the image, pixels.
        width: Of the image, pixels.
    """

    def weight(face: Sequence[float]) -> float:
        x, y, w, h = face[:4]
        offset = (x + w / 2 - width / 2) ** 2 + (y + h / 2 - height / 2) ** 2
        return w * h - _OFFSET_WEIGHT * offset

    if not faces:
        return None
    x, y, w, h, confidence, *rest = max(faces, key=weight)
    eye, other_eye, nose, mouth, other_mouth = zip(rest[::2], rest[1::2], strict=True)
    points = (eye, other_eye, nose, mouth, other_mouth)
    return Face((x, y, w, h), points, confidence)


class FaceFinder:
    """Finds faces; use it as a context manager. The process starts when first needed.

    Not for several threads at once.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        """Check that the detector is installed.

        Args:
            command: What to start instead of the detector (tests).

        Raises:
            MissingExtraError: `mtcnn` or TensorFlow is not installed.
        """
        self._recipe = recipe()
        if importlib.util.find_spec("tensorflow") is None:
            raise MissingExtraError(
                "mtcnn needs tensorflow, which is not installed; run: pip install "
                "tensorflow."
            )
        self._command = list(command or (sys.executable, "-m", __name__))
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._open = contextlib.ExitStack()
        self._memory: Memory | None = None

    def __enter__(self) -> Self:
        """Open the memory of earlier faces."""
        folder = store.cache_root() / "faces"
        self._memory = Memory(folder / f"{config.digest(self._recipe)}.sqlite")
        self._open.callback(self._memory.close)
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._open.close()
        self._process = self._memory = None

    def find(self, images: Sequence[NDArray[np.uint8]]) -> list[Face | None]:
        """Return the main face of each image, None where there is none.

        Args:
            images: Each `(h, w, 3)` uint8, sRGB; sizes may differ.

        Raises:
            RunError: The detector's process ended.
        """
        return [
            choose(self._faces(image), *image.shape[:2])
            for image in map(np.ascontiguousarray, images)
        ]

    def _faces(self, image: NDArray[np.uint8]) -> list[list[float]]:
        if self._memory is None:
            return self._ask(image)
        digest = hashlib.sha256(_SIZES.pack(*image.shape[:2]))
        digest.update(image.data)
        key = digest.hexdigest()
        faces = self._memory.get(key)
        if faces is None:
            faces = self._ask(image)
            self._memory.put(key, faces)
        return faces

    def _ask(self, image: NDArray[np.uint8]) -> list[list[float]]:
        self._process = process = self._process or self._start()
        if process.stdin is None or process.stdout is None:
            raise RunError("The face detector has no pipes.")
        try:
            process.stdin.write(_SIZES.pack(*image.shape[:2]))
            process.stdin.write(image.data)
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line.endswith(b"\n"):
            raise self._ended(process)
        reply = json.loads(line)
        if "error" in reply:
            raise RunError(
                f"The face detector failed on an image of {image.shape[1]}x"
                f"{image.shape[0]} px: {reply['error']}."
            )
        faces: list[list[float]] = reply["faces"]
        return faces

    def _start(self) -> subprocess.Popen[bytes]:
        # The child has to find this very package, however the parent found it.
        root = str(Path(__file__).parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "KERAS_BACKEND": "tensorflow",
            "CUDA_VISIBLE_DEVICES": "-1",  # leave the accelerator to torch
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        self._errors = self._open.enter_context(tempfile.TemporaryFile())
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
        )
        self._open.callback(_end, process)
        return process

    def _ended(self, process: subprocess.Popen[bytes]) -> RunError:
        code, lines = process.wait(), [b""]
        if self._errors is not None:
            self._errors.seek(0)
            lines += self._errors.read().strip().splitlines()
        last = lines[-1].decode(errors="replace").strip()
        self._process = None  # a later call starts another
        return RunError(
            f"The face detector's process ended with code {code}"
            f"{'; it last said: ' + last if last else ''}; run the same command again: it "
            "continues."
        )


def read_image(pipe: BinaryIO) -> NDArray[np.uint8] | None:
    """Receive one image `(h, w, 3)`; None when the other side has closed the pipe."""
    header = pipe.read(_SIZES.size)
    if len(header) < _SIZES.size:
        return None
    height, width = _SIZES.unpack(header)
    data = pipe.read(height * width * 3)
    if len(data) < height * width * 3:
        return None
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a child: closing its input is the polite way, killing it the sure one."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
