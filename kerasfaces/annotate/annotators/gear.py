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
from kerasfaces.faces import Face, crops
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.graphs import collection

GRAPH = collection.GRAPHS["gear"]
SOURCE, LICENCE = GRAPH.source, GRAPH.licence
PUBLISHED = "none stated"
VERSION = 1
ATTRIBUTES = (
    Attribute(
        name="gender",
        values={"male": "man", "female": "woman"},
        min_confidence=0.6,
    ),
    Attribute(
        name="age",
        values={
            each: each
            for each in (
                "to 20",
                "21-25",
                "26-30",
                "31-40",
                "41-50",
                "51-60",
                "above 60",
            )
        },
        numbers=(15.0, 23.0, 28.0, 35.5, 45.5, 55.5, 68.0),
        min_confidence=0.0,
    ),
    Attribute(
        name="race",
        values={
            "white": "white",
            "black": "black",
            "asian": "asian",
            "indian": "asian",
            "other": "",
        },
        min_confidence=0.6,
    ),
)
_CROP = FaceCrop(margin=0.1, size_px=198)


class Gear:
    """The network, on a square round the face."""

    size = 14

    def __init__(self, weights: Weights) -> None:
        """Find the graph, converting it first if need be."""
        self._path = collection.find("gear", weights.folder, download=weights.download)
        self.made_by: Mapping[str, Any] = {"graph": collection.GRAPHS["gear"].digest}

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return the probabilities of gender, age and race."""
        part = crops.cut(Image.fromarray(image), face, _CROP)
        run = collection.open_graph(self._path, "gear")
        age, gender, race = run(np.asarray(part)[np.newaxis])
        return np.concatenate([gender[0], age[0], race[0]])


def build(weights: Weights) -> Annotator:
    """Return the annotator.

    Raises:
        MissingFileError, InputError, MissingExtraError: See `graphs.collection.find`.
    """
    return Gear(weights)
