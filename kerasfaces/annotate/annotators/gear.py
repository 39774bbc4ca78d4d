"""Gender, age and race by GEAR-Predictor's network, of the collection human-models.

A small convolutional network trained on UTKFace, so what it says of UTKFace's own photos is
no measure of it. Its races are UTKFace's: white, black, asian, indian and other (which there
holds hispanic, latino and middle eastern faces); indian counts as asian, as in kabber2023,
and other has no word in `attr_race`. Its ages are seven ranges.
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

GRAPH = collection.GRAPHS["gear"]
SOURCE, LICENCE = GRAPH.source, GRAPH.licence
PUBLISHED = "none stated"
VERSION = 2
GENDERS = {"male": "man", "female": "woman"}
# years, and the number that a class stands for
AGES = {
    "to 20": 15.0,
    "21-25": 23.0,
    "26-30": 28.0,
    "31-40": 35.5,
    "41-50": 45.5,
    "51-60": 55.5,
    "above 60": 68.0,
}
RACES = {
    "white": "white",
    "black": "black",
    "asian": "asian",
    "indian": "asian",
    "other": "",
}
ATTRIBUTES = (
    Attribute(name="gender", values=GENDERS, min_confidence=0.6),
    Attribute(
        name="age",
        values={each: each for each in AGES},
        numbers=tuple(AGES.values()),
        min_confidence=0.0,
    ),
    Attribute(name="race", values=RACES, min_confidence=0.6),
)
_SIDE_PX = 198
# Medians in UTKFace's own crops: between the eyes, eyes to mouth, middle of the crop below
# the eyes; in units of its side.
_EYES, _MOUTH, _BELOW = 0.373, 0.42, 0.213


class Gear:
    """The network, on a square that shows the face as UTKFace's crops do."""

    size = 14

    def __init__(self, weights: Weights) -> None:
        self._path = collection.find("gear", weights.folder, download=weights.download)
        self.made_by: Mapping[str, Any] = {"graph": GRAPH.digest}

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return the probabilities of gender, age and race."""
        left, right, _, mouth = np.array(face.landmarks)[:4]
        middle, across = (left + right) / 2, right - left
        distance = float(np.hypot(*across))
        down = np.array([-across[1], across[0]]) / max(distance, 1e-6)
        drop = abs(float(np.dot(mouth - middle, down)))
        side = max(distance / _EYES, drop / _MOUTH)  # a profile's eyes are near
        view = View.around(middle + down * side * _BELOW, across, side, _SIDE_PX)
        run = collection.open_graph(self._path, "gear")
        age, gender, race = run(view.seen(Image.fromarray(image))[np.newaxis])
        return np.concatenate([gender[0], age[0], race[0]])


def build(weights: Weights) -> Annotator:
    """Return the annotator."""
    return Gear(weights)
