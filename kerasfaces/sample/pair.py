"""One pair: a photo and a generated picture of the same scene, as JPEG bytes."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from kerasfaces import images
from kerasfaces.core.rng import generator
from kerasfaces.sample import camera
from kerasfaces.sample.canvas import Array
from kerasfaces.sample.decoders import Decoder, decode
from kerasfaces.sample.person import draw_person
from kerasfaces.sample.scene import render

SIZE_PX = 160
QUALITY_PCT = 92
CHROMA = "4:2:0"
Pixels = npt.NDArray[np.uint8]


def make_pair(
    seed: int, number: int, decoder: Decoder, size_px: int
) -> tuple[Pixels, Pixels]:
    """Draw person `number` of `seed`, take the photo, and have `decoder` repeat it.

    Returns:
        The photo and the generated picture, (size_px, size_px, 3) uint8 sRGB each.
    """
    person = draw_person(generator(seed, "person", number))
    scene = render(person, size_px, generator(seed, "scene", number))
    return photograph(scene, seed, number, decoder, size_px)


def photograph(
    scene: Array, seed: int, number: int, decoder: Decoder, size_px: int, take: int = 0
) -> tuple[Pixels, Pixels]:
    """Photograph a scene, and have `decoder` make what it learned from another exposure.

    Args:
        scene: (h, h, 3) float32 linear light.
        seed: Seed of cameras and noise.
        number: The scene's number, a key of all that is random here.
        decoder: The generator.
        size_px: Size of both pictures, (size_px, size_px, 3) uint8.
        take: Another camera, light and noise for each take.
    """
    rng = generator(seed, "shot", number, take)
    shot = camera.draw_shot(rng)
    body = camera.camera(seed, int(rng.integers(camera.CAMERAS)), size_px)
    light = camera.through_lens(scene, body, shot)
    photo, learned = (
        camera.capture(light, body, shot, size_px, generator(seed, what, number, take))
        for what in ("photo", "learned")
    )
    generated = decode(learned, decoder, generator(seed, "decoder", number, take))
    return _to_uint8(photo), _to_uint8(generated)


def encode(image: Pixels, quality_pct: int = QUALITY_PCT) -> bytes:
    """Return a (h, w, 3) uint8 picture as JPEG; both classes take this one way."""
    settings = {"quality": quality_pct, "subsampling": CHROMA, "optimize": False}
    return images.encode(Image.fromarray(image), "JPEG", **settings)


def _to_uint8(image: Array) -> Pixels:
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
