"""Expression by oarriaga's mini-Xception, of the collection human-models.

Arriaga, Valdenegro-Toro and Ploeger, "Real-time Convolutional Neural Networks for Emotion
and Gender Classification", 2017 (arXiv 1710.07557), trained on FER-2013. Its seven emotions
become three as in kabber2023; surprise is none of the three and has no word in the column.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.annotate.contract import Annotator, Attribute, Floats, Weights
from kerasfaces.faces import Face, crops
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.graphs import collection

GRAPH = collection.GRAPHS["emotion"]
SOURCE, LICENCE = GRAPH.source, GRAPH.licence
PUBLISHED = "66 % of seven emotions on FER-2013's test images"
VERSION = 1
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
_CROP = FaceCrop(margin=0.1, size_px=64)


class Emotion:
    """The network, on a grey square round the face."""

    size = len(EMOTIONS)

    def __init__(self, weights: Weights) -> None:
        """Find the graph, converting it first if need be."""
        self._path = collection.find(
            "emotion", weights.folder, download=weights.download
        )
        self.made_by: Mapping[str, Any] = {"graph": collection.GRAPHS["emotion"].digest}

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return the probabilities of the seven emotions."""
        part = crops.cut(Image.fromarray(image), face, _CROP).convert("L")
        run = collection.open_graph(self._path, "emotion")
        (emotions,) = run(np.asarray(part)[np.newaxis, ..., np.newaxis])
        answer: Floats = emotions[0]
        return answer


def build(weights: Weights) -> Annotator:
    """Return the annotator.

    Raises:
        MissingFileError, InputError, MissingExtraError: See `graphs.collection.find`.
    """
    return Emotion(weights)
