"""What training images look like in a few numbers, and what is unlike them.

Sharpness is of the pixels that the network sees, compression of the files.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces import images
from kerasfaces.core import rng
from kerasfaces.core.arrays import Read
from kerasfaces.core.errors import ImageError
from kerasfaces.core.files import Json
from kerasfaces.images import compression, sharpness

MOST = 2000  # images that are measured
SHARPNESS = ("laplacian_variance", "high_band_share")
_FEW = 20  # JPEG files below which nothing is said of their qualities
_STRONG = 50  # JPEG quality below which traces go, where training's is not known
_TAIL_PCT = 1


def describe(read: Read, files: Sequence[Path], seed: int) -> Json:
    """Return the numbers that are kept, in JSON types.

    Args:
        read: Positions -> training images as the network sees them, uint8.
        files: Of the same images; those that are gone do not count.
        seed: Key of the draw, where there are more than `MOST`.
    """
    chosen = list(range(len(files)))
    if len(files) > MOST:
        draw = rng.generator(seed, "training images")
        chosen = sorted(draw.choice(len(files), MOST, replace=False).tolist())
    measured = [_sharpness(read(np.array([at]))[0]) for at in chosen]
    known = [values for values in measured if values]
    qualities = [q for at in chosen if (q := _quality(files[at])) is not None]
    jpegs = [quality for quality in qualities if quality]
    return {
        "n": len(known),
        "of": len(files),
        "sharpness": {
            name: {
                "least": min(values[name] for values in known),
                "most": max(values[name] for values in known),
            }
            for name in SHARPNESS
            if known
        },
        "n_files": len(qualities),
        "n_jpeg": len(jpegs),
        "jpeg_quality_low": float(np.percentile(jpegs, _TAIL_PCT)) if jpegs else None,
    }


def unlike(facts: Json, pixels: NDArray[np.uint8]) -> list[str]:
    """Return in which ways pixels `(h, w, 3)` are unlike all training images."""
    ranges: Json = facts.get("sharpness", {})
    values = _sharpness(pixels) if ranges else {}
    who = f"any of {facts.get('n', 0):,} training images"
    beyond = [
        "blurrier" if values[name] < ranges[name]["least"] else "sharper"
        for name in SHARPNESS
        if name in values
        and not ranges[name]["least"] <= values[name] <= ranges[name]["most"]
    ]
    return [
        f"{word} than {who}, as the detector sees it" for word in dict.fromkeys(beyond)
    ]


def compressed(facts: Json, data: bytes) -> list[str]:
    """Return whether a file is compressed more strongly than training's were."""
    try:
        quality = compression.jpeg_quality(images.probe(data))
    except ImageError:
        return []
    low, n = facts.get("jpeg_quality_low"), facts.get("n_jpeg", 0)
    saved = f"re-saved at JPEG {quality:.0f}"
    if low is not None and n >= _FEW:
        if 0 < quality < low:
            return [
                f"{saved}, compressed more than {100 - _TAIL_PCT} % of the {n:,} JPEG files "
                "it learnt from"
            ]
        return []
    if 0 < quality < _STRONG:
        return [f"{saved}: so much compression takes traces away"]
    return []


def _sharpness(pixels: NDArray[np.uint8]) -> dict[str, float]:
    return sharpness.measure(Image.fromarray(pixels)) if pixels.shape[-1] == 3 else {}


def _quality(file: Path) -> float | None:
    """Return a file's JPEG quality, 0 for other formats, None where it cannot be read."""
    try:
        return compression.jpeg_quality(images.probe(images.read_file(file)))
    except ImageError:
        return None
