"""Drawn portraits, for tests that need a face to be found."""

import functools

import numpy as np
from PIL import Image

from kerasfaces.core.rng import generator
from kerasfaces.sample.person import draw_person
from kerasfaces.sample.scene import render


@functools.cache
def portrait(number: int = 0, size_px: int = 160) -> Image.Image:
    """A portrait, one face in its middle; twice the size of `size_px`, drawn, then shrunk."""
    person = draw_person(generator(7, "person", number))
    scene = render(person, size_px, generator(7, "scene", number))
    pixels = np.round(np.clip(scene, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((size_px, size_px), Image.Resampling.LANCZOS)


def scene(size, places) -> np.ndarray:
    """A grey picture of `size` (width, height) with portraits at `(left, top, side)`."""
    image = Image.new("RGB", size, (128, 130, 126))
    for number, (left, top, side) in enumerate(places):
        image.paste(portrait(number).resize((side, side)), (left, top))
    return np.asarray(image)
