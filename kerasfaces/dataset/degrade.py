"""Blur and JPEG as augmentation: what a graph cannot do, on batches of pixels.

Pixels of one batch enter, the same with some of them blurred or compressed leave (Wang et
al. 2020, arXiv 1912.11035, section 4.1). The choice depends on (seed, epoch, position)
alone, so a training that continues sees the same images.
"""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from kerasfaces.core import rng
from kerasfaces.dataset.views import AugmentConfig

SIGMA_PX = (0.0, 3.0)
QUALITY_PCT = (30, 100)
Change = Callable[[NDArray[np.uint8], int, NDArray[np.int64]], NDArray[np.uint8]]


def changer(config: AugmentConfig, seed: int) -> Change | None:
    """Return what to do with batches of an epoch; None where nothing is to be done.

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
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=quality_pct)
    with Image.open(data) as made:
        return np.asarray(made)
