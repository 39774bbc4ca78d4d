"""Where the face is: pixels -> box and five landmarks, by MTCNN in its own process.

Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", 2016 (arXiv 1604.02878); package `mtcnn`, which carries its weights and runs
on TensorFlow. TensorFlow and torch must not share a process: `FaceFinder` starts
`python -m kerasfaces.faces`, sends it pixels through a pipe and reads boxes and
landmarks back. That process ends with its parent.

What is found depends on the image alone, not on its neighbours in a call, and is
remembered in the cache folder by the hash of the pixels.
"""

import contextlib
import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kerasfaces import store
from kerasfaces.core import config
from kerasfaces.core.errors import MissingExtraError, RunError
from kerasfaces.faces import _protocol
from kerasfaces.faces._memory import Memory

SIDE_PX = 160  # what the detector sees; faces under an eighth of the side are not found
_PACKAGE = "kerasfaces.faces"
_OFFSET_WEIGHT = 2.0
Point = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Face:
    """One face; pixels from the top left corner, left and right as the viewer sees them.

    Attributes:
        box: x, y, width, height; clipped to the image.
        left_eye: x, y.
        right_eye: x, y.
        nose: x, y, of its tip.
        mouth_left: x, y, of its corner.
        mouth_right: x, y, of its corner.
        confidence: 0..1.
        n_faces: How many faces the image has; this is the largest central one.
    """

    box: tuple[float, float, float, float]
    left_eye: Point
    right_eye: Point
    nose: Point
    mouth_left: Point
    mouth_right: Point
    confidence: float
    n_faces: int = 1

    @classmethod
    def of(
        cls,
        box: Sequence[float],
        points: Sequence[Sequence[float]],
        confidence: float,
        n_faces: int = 1,
    ) -> Self:
        """Return a face from its box and its five points, in the attributes' order."""
        x, y, width, height = box
        eye, other_eye, nose, mouth, other_mouth = ((px, py) for px, py in points)
        return cls(
            (x, y, width, height),
            eye,
            other_eye,
            nose,
            mouth,
            other_mouth,
            confidence,
            n_faces,
        )

    @property
    def landmarks(self) -> NDArray[np.float64]:
        """The five points as `(5, 2)`: x, y, in the order of the attributes."""
        return np.array(
            [
                self.left_eye,
                self.right_eye,
                self.nose,
                self.mouth_left,
                self.mouth_right,
            ]
        )


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


def choose(found: Sequence[Sequence[float]], height: int, width: int) -> Face | None:
    """Return the largest central face: the greatest area − 2 · (offset from the middle)².

    Args:
        found: Per face x, y, width, height, confidence, then x, y of five landmarks.
        height: Of the image, pixels.
        width: Of the image, pixels.
    """

    def weight(face: Sequence[float]) -> float:
        x, y, w, h = face[:4]
        offset = (x + w / 2 - width / 2) ** 2 + (y + h / 2 - height / 2) ** 2
        return w * h - _OFFSET_WEIGHT * offset

    if not found:
        return None
    best = max(found, key=weight)
    points = [best[at : at + 2] for at in range(5, 15, 2)]
    return Face.of(best[:4], points, best[4], len(found))


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
        self._command = list(command or (sys.executable, "-m", _PACKAGE))
        self._process: subprocess.Popen[bytes] | None = None
        self._open = contextlib.ExitStack()
        self._memory: Memory | None = None

    def __enter__(self) -> Self:
        """Open the memory of earlier faces."""
        folder = store.cache_root() / "faces"
        self._memory = Memory(folder / f"{config.digest(self._recipe)}.sqlite")
        self._open.callback(self._memory.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
        key = _protocol.key(image)
        known = self._memory.get(key) if self._memory else None
        if known is None:
            known = self._ask(image)
            if self._memory:
                self._memory.put(key, known)
        return known

    def _ask(self, image: NDArray[np.uint8]) -> list[list[float]]:
        if self._process is None:
            self._process = self._start()
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RunError("The face detector has no pipes.")
        try:
            _protocol.write_image(process.stdin, image)
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
        paths = [
            root,
            *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)),
        ]
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
        code = process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        last = f"; it last said: {said[-1].strip()}" if said else ""
        self._process = None  # a later call starts another
        return RunError(
            f"The face detector's process ended with code {code}{last}; run the same "
            "command again: it continues."
        )


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
