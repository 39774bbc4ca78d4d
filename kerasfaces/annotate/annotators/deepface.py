"""Gender and race by DeepFace's networks on VGG-Face, kabber2023's annotator.

Serengil and Ozpinar, "HyperExtended LightFace: A Facial Attribute Analysis Framework", 2021.
The package (MIT) downloads half a gigabyte of weights per attribute at its first use, from
its authors' releases; that happens only where downloads were asked for. Middle eastern and
indian count as asian, as in kabber2023.
"""

import os
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.annotate.annotators import _packages
from kerasfaces.annotate.contract import Annotator, Attribute, Floats, Weights
from kerasfaces.core.errors import MissingFileError
from kerasfaces.faces import Face

SOURCE = "PyPI, package deepface; github.com/serengil/deepface_models"
LICENCE = "MIT; VGG-Face's weights have terms of their own (the package's README)"
PUBLISHED = "kabber2023 states race .86 and gender .91 (in one place .96)"
VERSION = 1
GENDERS = {"Man": "man", "Woman": "woman"}
RACES = {
    "asian": "asian",
    "indian": "asian",
    "middle eastern": "asian",
    "black": "black",
    "latino hispanic": "latino_hispanic",
    "white": "white",
}
ATTRIBUTES = (
    Attribute(name="gender", values=GENDERS, min_confidence=0.6),
    Attribute(name="race", values=RACES, min_confidence=0.6),
)
_ADVICE = "pip install deepface"
_WANTED = ("gender_model", "race_model")  # how its files' names begin
_MARGIN = 0.2


class DeepFace:
    """The package's `DeepFace.analyze`, on a square round the face."""

    size = len(GENDERS) + len(RACES)

    def __init__(self, weights: Weights) -> None:
        if weights.folder is not None and (weights.folder / ".deepface").is_dir():
            os.environ["DEEPFACE_HOME"] = str(weights.folder)
        home = Path(os.environ.get("DEEPFACE_HOME", "~")).expanduser()
        folder = home / ".deepface" / "weights"
        names = [file.name for file in folder.glob("*")] if folder.is_dir() else []
        absent = [
            each for each in _WANTED if not any(name.startswith(each) for name in names)
        ]
        if absent and not weights.download:
            raise MissingFileError(
                f"{folder} has no {' and no '.join(absent)}: DeepFace's weights. Add "
                "`download=True` to let it fetch them, or put its files there."
            )
        self._module = _packages.load("deepface.DeepFace", "deepface", _ADVICE)
        self.made_by: Mapping[str, Any] = {"deepface": metadata.version("deepface")}

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return the probabilities of gender and race."""
        part = np.asarray(_packages.square(image, face, _MARGIN))[:, :, ::-1]
        (answer, *_) = self._module.analyze(
            np.ascontiguousarray(part),
            actions=("gender", "race"),
            detector_backend="skip",
            silent=True,
        )
        classes = {"gender": list(GENDERS), "race": list(RACES)}
        return np.concatenate(
            [_packages.shares(answer[each], classes[each]) for each in classes]
        )


def build(weights: Weights) -> Annotator:
    """Return the annotator."""
    return DeepFace(weights)
