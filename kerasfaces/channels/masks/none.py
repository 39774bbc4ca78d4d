"""Mask `none`: every pixel is kept."""

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kerasfaces.channels.masks._contract import Mask
from kerasfaces.core.files import Json
from kerasfaces.faces import Face


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The mask has no options."""


class WholeImage:
    """Keeps every pixel."""

    needs_faces = False
    made_by: ClassVar[Json] = {}

    def compute(self, image: NDArray[np.uint8], face: Face | None) -> NDArray[np.bool_]:
        """Return ones, `(h, w)`."""
        return np.ones(image.shape[:2], bool)


def build(options: Options) -> Mask:
    """Return the mask."""
    return WholeImage()
