"""What happens to a picture between a generator or camera and a detector.

Decoded pixels `(h, w, 3)` uint8, sRGB, in and out; Pillow and NumPy only. Encoders are
Pillow's with 4:2:0 chroma, as websites use them. The same picture, strength and key give
the same pixels. Training sees them as views (`dataset.views`); a finished detector is
tried on each of them at each strength.
"""

import dataclasses
import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from kerasfaces.core import registry, rng
from kerasfaces.core.errors import ImageError, InputError

Pixels = NDArray[np.uint8]
VERSION = 1  # raise whenever a laundering's pixels change
_SECOND_PCT = 7  # the second site of `double_jpeg` compresses a little less
_THUMBNAIL_QUALITY_PCT = 75
_SHARPEN_PCT = 40  # what a screen's scaler adds to edges


class Draw(NamedTuple):
    """One laundering at one strength."""

    name: str
    strength: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Laundering:
    """One way in which pictures change on their way.

    Attributes:
        name: Its key in `LAUNDERINGS`.
        what: One line for tables and help.
        unit: What a strength is, e.g. `quality, %`.
        strengths: From mild to strong; those between the ends are allowed too.
        whole: Strengths are whole numbers.
    """

    name: str
    what: str
    unit: str
    strengths: tuple[float, ...]
    whole: bool
    _change: Callable[[Image.Image, float, str], Image.Image]

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest strength."""
        return min(self.strengths), max(self.strengths)

    def apply(self, image: Pixels, strength: float, key: str = "") -> Pixels:
        """Return a picture after it, `(h2, w2, 3)` uint8.

        Args:
            image: `(h, w, 3)` uint8, sRGB.
            strength: Between the ends of `strengths`.
            key: What decides noise and the place of a crop, e.g. the image's sha256.

        Raises:
            InputError: The strength is out of range, or the array is no picture.
            ImageError: The encoder refuses this picture, e.g. because it is too wide.
        """
        low, high = self.ends
        if not low <= strength <= high:
            raise InputError(
                f"`{self.name}`: expected a strength of {low:g}..{high:g} ({self.unit}), got "
                f"{strength}."
            )
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise InputError(
                f"`{self.name}`: expected (h, w, 3) uint8, got {image.shape} {image.dtype}."
            )
        try:
            changed = self._change(Image.fromarray(image), strength, key)
        except (OSError, ValueError, KeyError) as error:
            raise ImageError(f"{self.name} failed: {str(error)[:120]}") from error
        return np.array(changed, dtype=np.uint8)


def get(name: str) -> Laundering:
    """Return a laundering by name.

    Raises:
        InputError: There is none of that name; the message lists them.
    """
    registry.check("laundering", name, list(LAUNDERINGS))
    return LAUNDERINGS[name]


def draw(generator: np.random.Generator) -> Draw:
    """Return a laundering, each as likely, at a strength uniform between its ends."""
    way = list(LAUNDERINGS.values())[int(generator.integers(len(LAUNDERINGS)))]
    low, high = way.ends
    strength = low + float(generator.random()) * (high - low)
    return Draw(way.name, float(round(strength)) if way.whole else strength)


def _jpeg(image: Image.Image, quality: float, key: str = "") -> Image.Image:
    return _encoded(image, "JPEG", quality)


def _webp(image: Image.Image, quality: float, key: str) -> Image.Image:
    return _encoded(image, "WEBP", quality)


def _double_jpeg(image: Image.Image, quality: float, key: str) -> Image.Image:
    return _jpeg(_jpeg(image, quality), min(quality + _SECOND_PCT, 100))


def _resize(image: Image.Image, scale: float, key: str) -> Image.Image:
    return _scaled(image, scale, Image.Resampling.BICUBIC)


def _rescale(image: Image.Image, scale: float, key: str) -> Image.Image:
    return _resize(image, scale, key).resize(image.size, Image.Resampling.BICUBIC)


def _blur(image: Image.Image, sigma_px: float, key: str) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(sigma_px))


def _noise(image: Image.Image, sigma: float, key: str) -> Image.Image:
    generator = rng.generator(0, "launder", "noise", key)
    pattern = generator.standard_normal((image.height, image.width, 3), np.float32)
    noisy = np.rint(np.asarray(image) + np.float32(sigma) * pattern)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _crop(image: Image.Image, share: float, key: str) -> Image.Image:
    """Keep a share of both sides, at a place that the key decides."""
    place = rng.generator(0, "launder", "crop", key).random(2)
    width, height = (max(1, round(share * side)) for side in image.size)
    left = round(place[0] * (image.width - width))
    top = round(place[1] * (image.height - height))
    return image.crop((left, top, left + width, top + height))


def _screenshot(image: Image.Image, scale: float, key: str) -> Image.Image:
    """Shown smaller than it is, a little sharpened, and stored without loss (PNG)."""
    shown = _scaled(image, scale, Image.Resampling.BILINEAR)
    return shown.filter(ImageFilter.UnsharpMask(1, _SHARPEN_PCT, 0))


def _thumbnail(image: Image.Image, side_px: float, key: str) -> Image.Image:
    scale = min(1.0, side_px / max(image.size))
    return _jpeg(
        _scaled(image, scale, Image.Resampling.LANCZOS), _THUMBNAIL_QUALITY_PCT
    )


def _scaled(image: Image.Image, scale: float, filter: Image.Resampling) -> Image.Image:
    width, height = (max(1, round(scale * side)) for side in image.size)
    return image.resize((width, height), filter)


def _encoded(image: Image.Image, format: str, quality: float) -> Image.Image:
    buffer = io.BytesIO()
    options = {"subsampling": "4:2:0"} if format == "JPEG" else {}
    image.save(buffer, format, quality=round(quality), **options)
    with Image.open(buffer) as decoded:
        return decoded.convert("RGB")


_ROWS = [
    ("jpeg", "JPEG", "quality, %", (90, 70, 50, 30), _jpeg),
    ("webp", "WebP", "quality, %", (90, 70, 50, 30), _webp),
    ("double_jpeg", "JPEG twice", "first quality, %", (90, 70, 50, 30), _double_jpeg),
    ("resize", "smaller", "scale", (0.9, 0.7, 0.5, 0.35), _resize),
    ("rescale", "smaller and back", "scale", (0.9, 0.7, 0.5, 0.35), _rescale),
    ("blur", "Gaussian blur", "sigma, px", (0.5, 1.0, 1.5, 2.5), _blur),
    ("noise", "Gaussian noise", "sigma of 255", (2, 4, 8, 12), _noise),
    ("crop", "a part of it", "share of each side", (0.95, 0.85, 0.7, 0.5), _crop),
    ("screenshot", "screenshot", "scale", (0.93, 0.81, 0.67, 0.45), _screenshot),
    ("thumbnail", "thumbnail", "longer side, px", (512, 320, 224, 128), _thumbnail),
]

LAUNDERINGS: dict[str, Laundering] = {
    name: Laundering(
        name=name,
        what=what,
        unit=unit,
        strengths=tuple(float(each) for each in strengths),
        whole=all(isinstance(each, int) for each in strengths),
        _change=change,
    )
    for name, what, unit, strengths, change in _ROWS
}
