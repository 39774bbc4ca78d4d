"""Augmented views of images: the numbers of what a graph changes, and what it cannot.

The numbers that decide a change are drawn per image from (seed, view, sha256), so the
same view of the same image is the same pixels in every run, in any order, and features
of it can be cached. View 0 is the image itself. `augment` applies them.

Blur and JPEG (Wang et al. 2020, arXiv 1912.11035, section 4.1) change batches of pixels
where a base is trained. The choice depends on (seed, epoch, position) alone, so a
training that continues sees the same images.
"""

import dataclasses
import io
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError

N_PARAMETERS = 8 + 2
SIGMA_PX = (0.0, 3.0)
QUALITY_PCT = (30, 100)
Change = Callable[[NDArray[np.uint8], int, NDArray[np.int64]], NDArray[np.uint8]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How much an augmented view may differ.

    Attributes:
        flip: Mirror left and right half of the time.
        rotation_deg: Largest rotation either way.
        zoom: Largest relative change of scale either way.
        brightness: Largest shift as a fraction of the range.
        contrast: Largest relative change of contrast.
        blur: Share of images blurred, where the base is trained.
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

    `keys` are the images' sha256, `size_px` is their side, `seed` of all views.
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
    rows = [[*matrix[i], shift[i]] for i in (0, 1)]
    return np.array([*rows[0], *rows[1], 0, 0])


def changer(config: AugmentConfig, seed: int) -> Change | None:
    """Return what blurs and compresses batches of an epoch; None where nothing does.

    The function takes images `(m, h, w, 3)` uint8, the epoch and the images' positions,
    and returns the changed images.
    """
    if not (config.blur or config.jpeg):
        return None

    def change(
        images: NDArray[np.uint8], epoch: int, positions: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        out = np.empty_like(images)
        for row, position in enumerate(positions):
            generator = rng.generator(seed, "degrade", epoch, int(position))
            out[row] = one(images[row], config, generator)
        return out

    return change


def one(
    image: NDArray[np.uint8], config: AugmentConfig, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Return one image, `(h, w, 3)` uint8, perhaps blurred, then perhaps compressed."""
    from scipy import ndimage

    blur, jpeg, place = generator.random(3)
    quality = int(generator.integers(QUALITY_PCT[0], QUALITY_PCT[1] + 1))
    if blur < config.blur:
        sigma = SIGMA_PX[0] + place * (SIGMA_PX[1] - SIGMA_PX[0])
        image = ndimage.gaussian_filter(image, (sigma, sigma, 0))
    if jpeg < config.jpeg:
        image = compressed(image, quality)
    return image


def compressed(image: NDArray[np.uint8], quality_pct: int) -> NDArray[np.uint8]:
    """Return an image after JPEG, 4:2:0 chroma, `(h, w, 3)` uint8."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=quality_pct)
    with Image.open(data) as decoded:
        return np.asarray(decoded)
