"""Which augmented view of an image: the numbers, without the pixels.

The numbers that decide a change are drawn per image from (seed, view, sha256), so the
same view of the same image is the same pixels in every run, in any order, and features
of it can be cached. View 0 is the image itself.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError

N_PARAMETERS = 8 + 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How much an augmented view may differ.

    Attributes:
        flip: Mirror left and right half of the time.
        rotation_deg: Largest rotation either way.
        zoom: Largest relative change of scale either way.
        brightness: Largest shift as a fraction of the range.
        contrast: Largest relative change of contrast.
        blur: Share of images blurred, where the base is trained (`degrade.py`).
        jpeg: Share of images compressed, where the base is trained.
    """

    flip: bool = True
    rotation_deg: float = 0.0
    zoom: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    blur: float = 0.0
    jpeg: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        limits = {"rotation_deg": 180.0, "zoom": 0.9}
        for field in dataclasses.fields(self):
            value, limit = getattr(self, field.name), limits.get(field.name, 1.0)
            if not 0 <= value <= limit:
                raise InputError(
                    f"augment.{field.name}: expected 0..{limit:g}, got {value}."
                )


def parameters(
    keys: Sequence[str], size_px: int, view: int, config: AugmentConfig, seed: int = 0
) -> NDArray[np.float32]:
    """Return `(n, 10)`: an 8-number projective transform, brightness, contrast.

    Args:
        keys: sha256 of each image.
        size_px: Side of the images.
        view: 0 is the identity.
        config: How much may change.
        seed: Of the whole set of views.
    """
    rows = np.zeros((len(keys), N_PARAMETERS), np.float32)
    rows[:, [0, 4]] = 1.0
    rows[:, 9] = 1.0
    if view == 0:
        return rows
    for row, key in zip(rows, keys, strict=True):
        draw = rng.generator(seed, "view", view, key).random(5)
        row[:8] = _transform(draw, size_px, config)
        row[8] = 255.0 * config.brightness * (2 * draw[3] - 1)
        row[9] = 1.0 + config.contrast * (2 * draw[4] - 1)
    return rows


def _transform(
    draw: NDArray[np.float64], size_px: int, config: AugmentConfig
) -> NDArray[np.float64]:
    """Return the output -> input map of `ops.image.affine_transform`."""
    mirror = -1.0 if config.flip and draw[0] < 0.5 else 1.0
    angle = math.radians(config.rotation_deg) * (2 * draw[1] - 1)
    scale = 1.0 + config.zoom * (2 * draw[2] - 1)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    matrix = np.array([[mirror * cos, -mirror * sin], [sin, cos]])
    centre = np.full(2, (size_px - 1) / 2)
    shift = centre - matrix @ centre
    return np.array(
        [
            matrix[0, 0],
            matrix[0, 1],
            shift[0],
            matrix[1, 0],
            matrix[1, 1],
            shift[1],
            0,
            0,
        ]
    )
