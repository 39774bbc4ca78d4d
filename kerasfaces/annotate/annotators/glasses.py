"""Glasses by a linear head on gradients round the eyes (`eye_region`), of this package.

Trained on a table of 298 official portraits, public domain, labelled by hand
(`experiments/annotators/glasses.csv`), each with its mirror image; nothing to download.
"""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.annotate import eye_region
from kerasfaces.annotate.contract import Annotator, Attribute, Floats, Weights
from kerasfaces.core import arrays
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json, sha256
from kerasfaces.faces import Face

WEIGHTS = Path(__file__).parents[1] / "weights" / "glasses.npz"
SOURCE = "this package, experiments/annotators"
LICENCE = "Apache-2.0; the portraits are in the public domain"
PUBLISHED = "kabber2023 states .91 of its own annotator of glasses"
VERSION = 1
ATTRIBUTES = (
    Attribute(
        name="glasses",
        values={"glasses": "glasses", "no glasses": "no_glasses"},
        min_confidence=0.8,
    ),
)


class Head:
    """A logistic regression on what is seen of the eyes.

    Args:
        name: Of the head among the weights: `histograms`, `bridge` or `frozen`.
        measure: Function from a patch `(40, 80)` to numbers; None is `eye_region`'s of this
            name.
        base: What decides those numbers beside the head, for `made_by`.
    """

    size = 2

    def __init__(
        self,
        name: str,
        measure: Callable[[Floats], Any] | None = None,
        base: Mapping[str, Any] | None = None,
    ) -> None:
        weights = _weights()
        self._measure = measure or getattr(eye_region, name)
        self._slopes = weights[name].astype(np.float64)
        self._offset = float(weights[f"{name}_offset"])
        own = {"weights": sha256(WEIGHTS), "head": name}
        self.made_by: Mapping[str, Any] = own | dict(base or {})

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return the probabilities of glasses and of none."""
        grey = eye_region.patch(image, face)
        logit = (
            float(np.dot(np.ravel(self._measure(grey)), self._slopes)) + self._offset
        )
        share = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
        return np.array([share, 1 - share], np.float32)


@functools.cache
def _weights() -> dict[str, NDArray[Any]]:
    note = read_json(WEIGHTS.with_suffix(".json"))
    if sha256(WEIGHTS) != note["sha256"]:
        raise RunError(
            f"{WEIGHTS} is damaged (its SHA-256 differs); reinstall kerasfaces."
        )
    return dict(arrays.read(WEIGHTS, "reinstall kerasfaces", RunError))


def build(weights: Weights) -> Annotator:
    """Return the annotator."""
    return Head("histograms")
