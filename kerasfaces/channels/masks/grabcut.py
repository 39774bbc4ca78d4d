"""Mask `grabcut`: head and hair against the background, by graph cuts.

Rother et al., "GrabCut: Interactive Foreground Extraction using Iterated Graph Cuts",
2004, as OpenCV has it. The face's landmarks take the place of the user's box: the
middle of the face is head for certain, the picture's upper rim away from it is
background for certain, and the cut decides about the rest. The largest piece is kept
and its holes are filled.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import faces
from kerasfaces.channels.masks import _contract
from kerasfaces.channels.masks._contract import Mask
from kerasfaces.core.errors import InputError
from kerasfaces.core.imports import optional_import
from kerasfaces.faces import Face

_SEED = 0  # of OpenCV's global generator, which starts the colour clusters
_RIM = 0.03  # of the side


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How the cut is made.

    Attributes:
        iterations: Of fitting colours and cutting.
        work_px: Longer side of the picture that is cut; the mask is brought back.
    """

    iterations: int = 4
    work_px: int = 160


class GrabCut:
    """OpenCV's GrabCut, seeded by the landmarks."""

    needs_faces = True

    def __init__(self, options: Options) -> None:
        self._options = options
        self._cv2: Any = optional_import("cv2", "channels")
        self.made_by = {"faces": faces.recipe(), "opencv": self._cv2.__version__}

    def compute(self, image: NDArray[np.uint8], face: Face | None) -> NDArray[np.bool_]:
        """Return the head, `(h, w)`."""
        face = _contract.require(face)
        height, width = image.shape[:2]
        scale = min(1.0, self._options.work_px / max(height, width))
        small = image
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            small = self._cv2.resize(image, size, interpolation=self._cv2.INTER_AREA)
        mask = self._cut(np.ascontiguousarray(small), face.scaled(scale, scale))
        if scale < 1:
            values, linear = mask.astype(np.float32), self._cv2.INTER_LINEAR
            mask = self._cv2.resize(values, (width, height), interpolation=linear)
        return _contract.check(mask > 0.5, face)

    def _cut(self, image: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        cv2 = self._cv2
        labels = self._seeds(image.shape[:2], face)
        known = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
        if known.all() or not known.any():
            return known.astype(np.uint8)
        models, n = (np.zeros((1, 65)), np.zeros((1, 65))), self._options.iterations
        cv2.setRNGSeed(_SEED)
        cv2.grabCut(image, labels, None, *models, n, cv2.GC_INIT_WITH_MASK)
        cut = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
        return self._one_piece(cut)

    def _seeds(self, shape: tuple[int, int], face: Face) -> NDArray[np.uint8]:
        """Return GrabCut's labels: from certain background inwards to certain head."""
        cv2 = self._cv2
        labels = np.full(shape, cv2.GC_PR_BGD, np.uint8)
        near = _contract.ellipse(shape, face, 1.7, 2.4, -0.1)
        labels[_contract.ellipse(shape, face, 1.35, 1.9, -0.2)] = cv2.GC_PR_FGD
        rim = np.zeros(shape, bool)
        edge = max(1, round(max(shape) * _RIM))
        middle, _, unit = _contract.frame(face)
        # Shoulders reach the lower rim, so it says nothing.
        rim[:edge] = rim[:, :edge] = rim[:, -edge:] = True
        rim[max(0, round(float(middle[1] + unit))) :] = False
        labels[rim & ~near] = cv2.GC_BGD
        labels[_contract.ellipse(shape, face, 0.8, 1.1, 0.0)] = cv2.GC_FGD
        return labels

    def _one_piece(self, cut: NDArray[np.uint8]) -> NDArray[np.uint8]:
        cv2 = self._cv2
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
        cut = cv2.morphologyEx(cut, cv2.MORPH_OPEN, kernel)
        number, pieces, facts, _ = cv2.connectedComponentsWithStats(cut)
        if number < 2:
            return cut
        largest = 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))
        piece, every = (pieces == largest).astype(np.uint8), cv2.CHAIN_APPROX_NONE
        outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, every)
        filled = np.zeros_like(cut)
        cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
        return filled


def build(options: Options) -> Mask:
    """Return the mask."""
    if options.iterations < 1 or options.work_px < 32:
        raise InputError(
            "grabcut: expected iterations of 1 or more and work_px of 32 or more, got "
            f"{options.iterations} and {options.work_px}."
        )
    return GrabCut(options)
