"""Expression by oarriaga's mini-Xception, of the collection human-models.

Arriaga, Valdenegro-Toro and Ploeger, "Real-time Convolutional Neural Networks for Emotion
and Gender Classification", 2017 (arXiv 1710.07557), trained on FER-2013. Its seven emotions
become three as in kabber2023; surprise is none of the three and has no word in the column.
Four crops and their mirror images are averaged: one alone answers by where it was cut.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.annotate.contract import Annotator, Attribute, Floats, Weights
from kerasfaces.annotate.views import View
from kerasfaces.faces import Face
from kerasfaces.graphs import collection

GRAPH = collection.GRAPHS["emotion"]
SOURCE, LICENCE = GRAPH.source, GRAPH.licence
PUBLISHED = "66 % of seven emotions on FER-2013's test images"
VERSION = 2
EMOTIONS = {
    "angry": "negative",
    "disgust": "negative",
    "fear": "negative",
    "happy": "positive",
    "sad": "negative",
    "surprise": "",
    "neutral": "neutral",
}
ATTRIBUTES = (Attribute(name="expression", values=EMOTIONS, min_confidence=0.6),)
_SIDE_PX = 64
_MARGINS, _SHIFTS = (0.1, 0.2), (0.0, 0.1)  # of the box, in units of its side; upwards


class Emotion:
    """The network, on eight views of the face, grey, eyes level: it was trained on loose crops."""

    size = len(EMOTIONS)

    def __init__(self, weights: Weights) -> None:
        self._path = collection.find(
            "emotion", weights.folder, download=weights.download
        )
        self.made_by: Mapping[str, Any] = {"graph": GRAPH.digest}

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return the probabilities of the seven emotions, means over the views."""
        left, top, right, bottom = face.box
        side = max(right - left, bottom - top)
        across = np.array(face.landmarks[1]) - np.array(face.landmarks[0])
        middle = np.array([left + right, top + bottom]) / 2
        down = np.array([-across[1], across[0]]) / max(float(np.hypot(*across)), 1e-6)
        picture = Image.fromarray(image).convert("L")
        views = [
            View.around(
                middle - up * side * down, across, side * (1 + 2 * margin), _SIDE_PX
            ).seen(picture)
            for margin in _MARGINS
            for up in _SHIFTS
        ]
        both = np.stack([*views, *(each[:, ::-1] for each in views)])[..., np.newaxis]
        run = collection.open_graph(self._path, "emotion")
        (emotions,) = run(np.ascontiguousarray(both))
        answer: Floats = emotions.mean(axis=0)
        return answer


def build(weights: Weights) -> Annotator:
    """Return the annotator."""
    return Emotion(weights)
