"""Mask `ellipse`: the face from hairline to chin, from its landmarks alone.

Looks at no pixel, so nothing in the picture (hair, hands, a cluttered wall) moves it.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from kerasfaces import faces
from kerasfaces.channels.masks import _contract
from kerasfaces.channels.masks._contract import Mask
from kerasfaces.core.errors import InputError
from kerasfaces.faces import Face


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The ellipse, in units of the distance between the eyes, or eyes to mouth.

    Attributes:
        half_width: Half its width.
        half_height: Half its height.
        shift: Of its middle from halfway between eyes and mouth towards the chin.
    """

    half_width: float = 1.05
    half_height: float = 1.5
    shift: float = -0.1


class Ellipse:
    """An ellipse in the face's own frame."""

    needs_faces = True

    def __init__(self, options: Options) -> None:
        """Name the detector, which decides the mask."""
        self._options = options
        self.made_by = {"faces": faces.recipe()}

    def compute(self, image: NDArray[np.uint8], face: Face | None) -> NDArray[np.bool_]:
        """Return the ellipse, `(h, w)`."""
        face, options = _contract.require(face), self._options
        sides = options.half_width, options.half_height
        mask = _contract.ellipse(image.shape[:2], face, *sides, options.shift)
        return _contract.check(mask, face)


def build(options: Options) -> Mask:
    """Return the mask."""
    if not (options.half_width > 0 and options.half_height > 0):
        raise InputError(
            "ellipse: expected half_width and half_height above 0, got "
            f"{options.half_width} and {options.half_height}."
        )
    return Ellipse(options)
