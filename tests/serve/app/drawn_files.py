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
