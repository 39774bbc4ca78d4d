"""A decoded picture -> a few numbers that say how sharp, noisy and compressed it is.

None of them knows what a face is. Where they separate real from fake, a detector can do
so without having learnt anything of a generator.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MIN_SIDE_PX = 24  # three blocks of JPEG
_MAX_SIDE_PX = 512  # of the part that is looked at
_BLOCK = 8
_ROUNDING = 1 / 12  # variance of a grey level's rounding
_LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=np.float32)
_NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)

Floats = NDArray[np.float32]
NAMES = (
    "laplacian_variance",
    "high_band_share",
    "noise_sigma",
    "block_grid",
    "shifted_grid",
)


def measure(image: Image.Image) -> dict[str, float]:
    """Return the numbers of `NAMES`, of the luminance of at most 512 x 512 px.

    - `laplacian_variance`: of the four-neighbour Laplacian, grey levels squared.
    - `high_band_share`: 0..1, power above half of the Nyquist frequency, of all but the
      mean, under a Hann window.
    - `noise_sigma`: grey levels, by Immerkaer (1996), Fast noise variance estimation.
    - `block_grid`: mean step across the borders of JPEG's 8 x 8 blocks, as a multiple of
      the mean step anywhere, after Fan and de Queiroz (2003), Identification of bitmap
      compression history; 1 without blocks.
    - `shifted_grid`: the same of the strongest other grid, which an earlier encoding
      before a crop leaves.

    Args:
        image: 8-bit; its central part at native size counts, cut at a block's border.

    Returns:
        Each number, finite; nothing where a side is below `MIN_SIDE_PX`.
    """
    if min(image.size) < MIN_SIDE_PX:
        return {}
    sides = [min(length, _MAX_SIDE_PX) for length in image.size]
    left, top = (
        (length - side) // 2 // _BLOCK * _BLOCK
        for length, side in zip(image.size, sides, strict=True)
    )
    part = image.crop((left, top, left + sides[0], top + sides[1])).convert("L")
    grey = np.asarray(part, dtype=np.float32)
    values = (
        _filtered(grey, _LAPLACIAN).var(),
        _high_band_share(grey),
        np.sqrt(np.pi / 2) / 6 * np.abs(_filtered(grey, _NOISE)).mean(),
        *_grids(grey),
    )
    return dict(zip(NAMES, map(float, values), strict=True))


def _filtered(grey: Floats, kernel: Floats) -> Floats:
    height, width = grey.shape[0] - 2, grey.shape[1] - 2
    return sum(
        (
            weight * grey[top : top + height, left : left + width]
            for (top, left), weight in np.ndenumerate(kernel)
            if weight
        ),
        start=np.zeros((height, width), np.float32),
    )


def _high_band_share(grey: Floats) -> float:
    height, width = grey.shape
    window = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
    mean = (grey * window).sum() / window.sum()
    power = np.abs(np.fft.rfft2((grey - mean) * window)) ** 2
    power[:, 1 : (width + 1) // 2] *= 2  # the half of the spectrum that is not stored
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    # A flat picture has only its rounding, spread over all frequencies alike.
    high, total = power[radius > 0.25].sum(), power.sum()
    flat = _ROUNDING * (window**2).sum() * grey.size * 1e-3
    return float(high / (total + flat))


def _grids(grey: Floats) -> tuple[float, float]:
    """Return the strength of JPEG's own grid and of the strongest other one."""
    profiles = []
    for steps in (np.abs(np.diff(grey, axis=1)), np.abs(np.diff(grey, axis=0)).T):
        usable = steps[:, : steps.shape[1] // _BLOCK * _BLOCK]
        profile = usable.reshape(len(usable), -1, _BLOCK).mean(axis=(0, 1))
        profiles.append((profile + 1e-3) / (profile.mean() + 1e-3))
    both = np.mean(profiles, axis=0)
    return float(both[-1]), float(both[:-1].max())
