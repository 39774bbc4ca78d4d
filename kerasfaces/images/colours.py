"""Pixels of any mode -> 8-bit RGB: more than 8 bits by a stated rule or not at all.

Then palettes, colour profiles, other colour spaces, and alpha on white.
"""

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from kerasfaces.core.errors import ImageError

_FLOAT_WHITES, _INTEGER_WHITES = (1.0, 255.0, 65535.0), (255.0, 65535.0)
_STATED = ("PNG", "TIFF", "JPEG2000", "JXL", "AVIF", "HEIF")  # 16 bits are 16 bits
_ROUNDING = 1e-3  # share of white by which a float may miss black or white
_DARKEST = 1 / 4  # of white: the brightest pixel reaches it if white is guessed
_DARKEST_STATED = 1 / 16  # ... and if the format states it: 12 bits in 16 are below
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339  # TIFF
_WHITE_IS_ZERO, _SIGNED = 0, 2


def to_8_bit(image: Image.Image) -> Image.Image:
    """Return an image with 8 bits per channel.

    What states its range is scaled by it: 16-bit grey by 65535, TIFF's 12-bit grey by
    4095, PGM by its largest value. Floats and 32-bit or signed integers state none: white
    is the smallest of 1 (floats only), 255 and 65535 that no pixel exceeds. So a picture
    and its multiple in another of these ranges become the same.

    Refused is what this rule would guess wrong: negative, infinite or undefined values,
    values above 65535, a brightest pixel below a quarter of the white that was guessed (10
    to 14 bits in an unknown range), or below a sixteenth of 65535 (8 to 12 bits stored as
    16), and TIFF's signed bytes. A picture of zeros is black.

    Args:
        image: Image of any mode, as Pillow opens it.

    Raises:
        ImageError: See above; the message has the values.
    """
    tags: Mapping[int, object] = getattr(image, "tag_v2", {})
    if image.mode == "L" and _SIGNED in _numbers(tags.get(_SAMPLE_FORMAT)):
        raise ImageError("signed 8-bit pixels: nothing says which value is black")
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    values = np.asarray(image, dtype=np.float64)
    n_undefined = int(values.size - np.isfinite(values).sum())
    if n_undefined:
        raise ImageError(
            f"{n_undefined} of {values.size} pixels are not finite numbers"
        )
    white = _white(image, values, tags)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        values = white - values
    scaled = np.rint(values * (255.0 / white))
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))


def _white(
    image: Image.Image, values: NDArray[np.float64], tags: Mapping[int, object]
) -> float:
    """Return the value of white; refuse a picture in which nothing says where it is."""
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    if image.format == "PPM" and image.mode != "F":
        return 65535.0  # Pillow has scaled it
    if image.mode.startswith("I;16") and image.format in _STATED:
        bits = max(_numbers(tags.get(_BITS)), default=16)
        white, darkest = float(2**bits - 1), _DARKEST_STATED
    else:
        whites = _FLOAT_WHITES if image.mode == "F" else _INTEGER_WHITES
        fitting = [each for each in whites if high <= each * (1 + _ROUNDING)]
        if not fitting:
            raise ImageError(f"values up to {high:g}, above 65535: unknown range")
        white = fitting[0]
        darkest = 0.0 if white == 1.0 else _DARKEST
    if low < -_ROUNDING * white:
        raise ImageError(f"values from {low:g}, below 0: unknown range")
    if 0 < high < darkest * white:
        raise ImageError(
            f"values up to {high:g}, which fit no usual range (1, 255 or 65535): nothing says "
            "which value is white"
        )
    return white


def _numbers(value: object) -> tuple[int, ...]:
    """Return a TIFF tag as a tuple of whole numbers, empty where it is none."""
    values = value if isinstance(value, tuple) else (value,)
    return tuple(each for each in values if isinstance(each, int))


def to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an image in sRGB without alpha, through its colour profile if it fits."""
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    image = _to_srgb(image, profile)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        flat = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(flat, image)
    return image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert through an embedded colour profile; one that does not fit is ignored."""
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        colour = image.convert("RGB") if alpha else image
        converted = ImageCms.profileToProfile(
            colour, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    if converted is None:
        return image
    if alpha:
        converted.putalpha(alpha)
    return converted
