"""What every annotator promises.

A module `kerasfaces/annotate/annotators/NAME.py` has these names:

- `ATTRIBUTES`: what it tells of a face, a tuple of `Attribute`; may be empty.
- `VERSION`: raised whenever the same weights give other numbers.
- `LICENCE`, `SOURCE`, `PUBLISHED`: texts; the last says which accuracy its authors state.
- `build(weights) -> Annotator`: a MissingFileError where weights are not here, a
  MissingExtraError where a package is not, a RunError where our own weights are damaged.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kerasfaces.faces import Face

PACKAGE = "kerasfaces.annotate.annotators"
DEFAULT = ("gear", "emotion", "glasses")
Floats = NDArray[np.float32]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attribute:
    """One thing that an annotator tells of a face.

    Attributes:
        name: `gender` fills the column `attr_gender`.
        values: The annotator's own class -> the value of the column, in the order of its
            probabilities; an empty value means that the column has no word for the class.
        min_confidence: Below, the column stays empty; 0..1.
        numbers: Per class the number it stands for; the column then holds their mean
            under the probabilities (an age in years). Empty for classes.
    """

    name: str
    values: Mapping[str, str]
    min_confidence: float
    numbers: tuple[float, ...] = ()

    @property
    def column(self) -> str:
        """Return the column of a manifest."""
        return f"attr_{self.name}"

    @property
    def classes(self) -> list[str]:
        """Return the values that the column may have, in order; empty for numbers."""
        values = () if self.numbers else self.values.values()
        return list(dict.fromkeys(filter(None, values)))


class Answer(NamedTuple):
    """What an annotator says of one attribute of one face.

    Attributes:
        value: Of the column, whatever the confidence; empty where there is no word for it.
        confidence: 0..1, the summed probability of the classes that mean this value.
        raw: The annotator's own most probable class.
    """

    value: str
    confidence: float
    raw: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weights:
    """Where annotators get their weights.

    Attributes:
        folder: A folder with them; None is the cache's `annotators`.
        download: Whether they may be fetched where they are in neither.
    """

    folder: Path | None = None
    download: bool = False


class Annotator(Protocol):
    """Looks at one face at a time; the same picture and face give the same numbers.

    Attributes:
        size: How many numbers it returns.
    """

    size: int

    @property
    def made_by(self) -> Mapping[str, Any]:
        """What decides the numbers: hashes of weights, versions; JSON types."""

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return `(size,)`: the probabilities of each attribute's classes, in order.

        Args:
            image: `(h, w, 3)` uint8, sRGB, upright.
            face: In the picture's pixels.

        Raises:
            ImageError: This face cannot be judged; the message is the reason.
        """


def decide(attribute: Attribute, probabilities: Floats) -> Answer:
    """Return the answer that probabilities come to.

    Args:
        attribute: The attribute whose classes these are.
        probabilities: `(classes,)`, of the annotator's own classes.
    """
    raw = list(attribute.values)
    best = int(np.argmax(probabilities))
    if attribute.numbers:
        mean = float(np.dot(probabilities, attribute.numbers) / probabilities.sum())
        return Answer(f"{mean:.0f}", float(probabilities[best]), raw[best])
    sums: dict[str, float] = {}
    pairs = zip(probabilities, attribute.values.values(), strict=True)
    for probability, value in pairs:
        sums[value] = sums.get(value, 0.0) + float(probability)
    value = max(sums, key=sums.__getitem__)
    return Answer(value, min(1.0, sums[value]), raw[best])


def split(attributes: tuple[Attribute, ...], numbers: Floats) -> list[Floats]:
    """Return each attribute's probabilities among an annotator's numbers."""
    ends = np.cumsum([len(attribute.values) for attribute in attributes])
    return np.split(numbers, ends)[: len(attributes)]
