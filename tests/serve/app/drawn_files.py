"""Small pictures as files' bytes."""

import io

import numpy as np
from PIL import Image


def jpeg(shade=200, side_px=96, kind="JPEG"):
    """The bytes of a grey picture."""
    pixels = np.full((side_px, side_px, 3), shade, np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def drawn_face(number=10):
    """A generated picture of the sample's drawn people, at twice the sample's size."""
    from kerasfaces.sample import pair
    from kerasfaces.sample.decoders import DECODERS

    _, generated = pair.make_pair(7, number, DECODERS["transposed_conv"], 320)
    return pair.encode(generated)


def noisy(side_px, quality=95):
    """A JPEG of noise: as large a file as a picture of its size can be."""
    pixels = np.random.default_rng(0).integers(0, 256, (side_px, side_px, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
