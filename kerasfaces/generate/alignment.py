"""A photo and its fake -> the same picture but for the generator's traces.

After Dual Data Alignment (Chen et al. 2025, arXiv 2505.14359): a codec changes brightness,
colours and the amount of detail, and a detector trained on bare pairs learns these. NumPy,
SciPy and Pillow only.
"""

import functools
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin
from scipy import fft

from kerasfaces import images
from kerasfaces.core.errors import ImageError
from kerasfaces.generate.contract import Floats, Pixels

_N_RINGS = 32
_GAIN_MAX = 4.0
_GRID_PX = 16  # of JPEG's blocks where colours are halved


def cut(image: Pixels, size_px: int, stride_px: int, *, shrink: bool) -> Pixels:
    """Return the central square of a photo, `(s, s, 3)`, `s` a multiple of the stride.

    Args:
        image: `(h, w, 3)` uint8.
        size_px: Greatest side.
        stride_px: The generator's.
        shrink: Cut the largest square and resize it (Lanczos) instead of cutting less.

    Raises:
        ImageError: The photo is smaller than the stride.
    """
    shortest = min(image.shape[:2])
    side = min(size_px, shortest) // stride_px * stride_px
    if not side:
        raise ImageError(
            f"its shorter side has {shortest} px, the generator needs {stride_px}"
        )
    square = shortest if shrink else side
    top, left = ((length - square) // 2 for length in image.shape[:2])
    part = image[top : top + square, left : left + square]
    if square == side:
        return part
    resized = Image.fromarray(part).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(resized)


def fuse_frequencies(real: Pixels, fake: Floats, cutoff: float) -> Floats:
    """Return the fake with the real's low frequencies.

    The weights fall from 1 to 0 by a cosine from half of `cutoff` to one and a half of it:
    a sharp edge would ring.

    Args:
        real: `(h, w, 3)` uint8.
        fake: `(h, w, 3)` float32.
        cutoff: Share of the Nyquist frequency where both weigh the same.

    Returns:
        `(h, w, 3)` float32.
    """
    height, width = real.shape[:2]
    # Channels first: the transform is twice as fast along memory.
    change = np.ascontiguousarray((real - fake).transpose(2, 0, 1))
    spectrum = fft.rfft2(change, overwrite_x=True)
    spectrum *= _low_pass(height, width, cutoff)
    low = fft.irfft2(spectrum, s=(height, width), overwrite_x=True)
    fused: Floats = fake + low.transpose(1, 2, 0)
    return fused


@functools.lru_cache(maxsize=8)
def _low_pass(height: int, width: int, cutoff: float) -> Floats:
    """Return the weights of the frequencies of `rfft2`, `(height, width // 2 + 1)`."""
    radius = np.hypot(fft.fftfreq(height)[:, None], fft.rfftfreq(width)) / 0.5
    position = np.clip((radius - cutoff / 2) / max(cutoff, 1e-9), 0.0, 1.0)
    weights: Floats = (0.5 + 0.5 * np.cos(np.pi * position)).astype(np.float32)
    return weights


def match_spectrum(real: Pixels, fake: Floats) -> Floats:
    """Return the fake with the real's power at every frequency, its own content amplified.

    A codec that loses detail leaves a blur, which would tell its pictures from photos before
    anything else does. Power is compared in rings of frequencies, each colour by itself.

    Args:
        real: `(h, w, 3)` uint8.
        fake: `(h, w, 3)` float32.

    Returns:
        `(h, w, 3)` float32; no frequency is amplified or damped by more than `_GAIN_MAX`.
    """
    height, width = real.shape[:2]
    ring = _rings(height, width)
    spectra = []
    for image in (real, fake):
        planes = np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)
        spectra.append(fft.rfft2(planes, overwrite_x=True))
    for of_real, of_fake in zip(*spectra, strict=True):
        power = [
            np.bincount(ring.ravel(), (np.abs(each) ** 2).ravel(), _N_RINGS)
            for each in (of_real, of_fake)
        ]
        gain = np.sqrt(power[0] / np.maximum(power[1], 1e-12))
        gain[0] = 1.0  # the mean and what is next to it
        of_fake *= np.clip(gain, 1 / _GAIN_MAX, _GAIN_MAX).astype(np.float32)[ring]
    matched = fft.irfft2(spectra[1], s=(height, width), overwrite_x=True)
    image_like: Floats = np.ascontiguousarray(matched.transpose(1, 2, 0))
    return image_like


@functools.lru_cache(maxsize=8)
def _rings(height: int, width: int) -> NDArray[np.intp]:
    """Return the ring of each frequency of `rfft2`; the last has the corners, too."""
    radius = np.hypot(fft.fftfreq(height)[:, None], fft.rfftfreq(width)) / 0.5
    ring: NDArray[np.intp] = np.minimum(radius * _N_RINGS, _N_RINGS - 1).astype(np.intp)
    return ring


def compress_alike(fake: Floats, data: bytes, whole: tuple[int, int]) -> Floats:
    """Return the fake as the photo's own JPEG compression would have left it.

    Autoencoders give back detail that the photo's compression took: the fake is put through
    the same quantisation tables on the same grid (Dual Data Alignment, arXiv 2505.14359).

    Args:
        fake: `(h, w, 3)`, of the photo's central square at its own resolution.
        data: The photo's file.
        whole: Height and width of the photo.

    Returns:
        `(h, w, 3)` float32; of a photo that is no JPEG, `fake` itself.
    """
    with Image.open(io.BytesIO(data)) as photo:
        if not isinstance(photo, JpegImagePlugin.JpegImageFile):
            return fake
        tables, sampling = photo.quantization, JpegImagePlugin.get_sampling(photo)
    height, width = fake.shape[:2]
    top, left = (
        (length - side) // 2 % _GRID_PX
        for length, side in zip(whole, (height, width), strict=True)
    )
    padded = np.pad(to_pixels(fake), ((top, 0), (left, 0), (0, 0)), mode="edge")
    buffer = io.BytesIO()
    Image.fromarray(padded).save(
        buffer, "JPEG", qtables=tables, subsampling=max(sampling, 0)
    )
    with Image.open(buffer) as compressed:
        pixels = np.asarray(compressed.convert("RGB"))
    left_by_it: Floats = pixels[top:, left:].astype(np.float32)
    return left_by_it


def mix(real: Pixels, fake: Floats, share: float) -> Floats:
    """Return `share` of the real in the fake, pixel by pixel."""
    mixed: Floats = (share * real + (1 - share) * fake).astype(np.float32)
    return mixed


def encode(image: Pixels, format: str, quality_pct: int) -> bytes:
    """Return a picture's file without metadata; `quality_pct` is for JPEG (4:2:0)."""
    picture = Image.fromarray(image)
    if format == "jpeg":
        return images.encode(picture, "JPEG", quality=quality_pct, subsampling="4:2:0")
    return images.encode(picture, "PNG")


def to_pixels(image: Floats) -> Pixels:
    """Return float pixels as uint8, rounded and clipped.

    Raises:
        ImageError: A value is not finite: the generator failed on this picture.
    """
    if not np.isfinite(image).all():
        raise ImageError("the generator gave values that are not finite")
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
