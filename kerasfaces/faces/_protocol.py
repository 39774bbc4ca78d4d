"""How pixels cross to the detector's process: height, width, then the bytes.

Answers come back as one line of JSON: `{"faces": [[x, y, w, h, confidence, x1, y1, …]]}`
or `{"error": "…"}`.
"""

import hashlib
import struct
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

_SIZES = struct.Struct("<II")


def key(image: NDArray[np.uint8]) -> str:
    """Return the hash of an image's size and pixels."""
    digest = hashlib.sha256(_SIZES.pack(*image.shape[:2]))
    digest.update(image.data)
    return digest.hexdigest()


def write_image(pipe: object, image: NDArray[np.uint8]) -> None:
    """Send `(h, w, 3)` uint8, C-contiguous."""
    file = cast("BinaryIO", pipe)
    file.write(_SIZES.pack(*image.shape[:2]))
    file.write(image.data)
    file.flush()


def read_image(pipe: BinaryIO) -> NDArray[np.uint8] | None:
    """Receive one image; None when the other side has closed the pipe."""
    header = pipe.read(_SIZES.size)
    if len(header) < _SIZES.size:
        return None
    height, width = _SIZES.unpack(header)
    data = pipe.read(height * width * 3)
    if len(data) < height * width * 3:
        return None
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)
