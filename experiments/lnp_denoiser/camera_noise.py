"""Noise as cameras make it: a clean picture enters, a noisy and a clean photo leave.

As in CycleISP (arXiv 2003.07761, section 3), noise is added to raw sensor values and
carried through the camera's pipeline; its learned sRGB-to-raw network is replaced by the
closed-form inverse of Brooks et al., "Unprocessing Images for Learned Raw Denoising",
CVPR 2019 (arXiv 1811.11127, section 3). Both photos go through the same sensor and
pipeline, so their difference is noise alone, not the traces of demosaicing.
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from kerasfaces.sample import camera

Array = npt.NDArray[np.float32]
# Malvar, He & Cutler 2004: green at red and blue sites, corrected by their gradient.
_GRADIENT = (
    np.array(
        [
            [0, 0, -1, 0, 0],
            [0, 0, 2, 0, 0],
            [-1, 2, 4, 2, -1],
            [0, 0, 2, 0, 0],
            [0, 0, -1, 0, 0],
        ],
        np.float32,
    )
    / 8
)


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One exposure through one camera.

    Attributes:
        shot_noise: Variance per unit of light, in units of white (Brooks' λ_shot).
        read_noise: Variance of the read-out, in units of white squared (λ_read).
        order: Which of the four filter orders.
        sharp_green: Green by Malvar's gradient correction, red and blue as differences
            to it; otherwise bilinear.
        gains: (3,) white balance.
        matrix: (3, 3) camera RGB to linear sRGB, rows sum to 1.
        contrast: Share of the S-shaped tone curve.
        sharpen: Amount of the unsharp mask.
        shrink: The photo is scaled down from the sensor by this factor.
        quality_pct: JPEG quality of the noisy photo; 0 means not compressed.
        chroma_half: JPEG halves the chroma planes (4:2:0).
    """

    shot_noise: float
    read_noise: float
    order: int
    sharp_green: bool
    gains: Array
    matrix: Array
    contrast: float
    sharpen: float
    shrink: float
    quality_pct: int
    chroma_half: bool


def draw_shot(rng: np.random.Generator, shot_noise: float | None = None) -> Shot:
    """Draw a camera and an exposure.

    Args:
        rng: Source of all choices.
        shot_noise: None draws it from 1e-5 to 1e-2 on a log scale: from noise below one
            grey level, as in a portrait in good light, to dozens.
    """
    log_shot = float(rng.uniform(np.log(1e-5), np.log(1e-2)))
    if shot_noise is not None:
        log_shot = float(np.log(shot_noise))
    # Brooks et al., equation 3: read noise grows with shot noise.
    log_read = 2.18 * log_shot + 1.20 + float(rng.normal(0, 0.26))
    mixing = rng.uniform(0.05, 0.45, (3, 3))
    np.fill_diagonal(mixing, 0)
    matrix = np.diag(1 + mixing.sum(axis=1)) - mixing
    return Shot(
        shot_noise=float(np.exp(log_shot)),
        read_noise=float(np.exp(log_read)),
        order=int(rng.integers(4)),
        sharp_green=bool(rng.random() < 0.6),
        gains=np.array([rng.uniform(1.4, 2.6), 1, rng.uniform(1.3, 2.2)], np.float32),
        matrix=matrix.astype(np.float32),
        contrast=float(rng.uniform(0, 1)),
        sharpen=float(rng.choice([0.0, rng.uniform(0, 0.7)])),
        shrink=float(rng.choice([1.0, 1.0, 1.5, 2.0])),
        quality_pct=int(rng.integers(70, 99)) if rng.random() < 0.4 else 0,
        chroma_half=bool(rng.random() < 0.6),
    )


def photograph(
    clean: Array, shot: Shot, size_px: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], Array]:
    """Photograph a clean picture with and without noise.

    Args:
        clean: (s, s, 3) float32 sRGB in [0, 1], s = round(size_px × shrink) rounded up
            to even.
        shot: The camera and exposure.
        size_px: Size of the photos.
        rng: For the noise.

    Returns:
        The noisy photo, (size_px, size_px, 3) uint8, and the clean one, float32 in
        [0, 1], neither rounded nor compressed.
    """
    sites = camera.colour_sites(clean.shape[0], shot.order)
    raw = _mosaic(_to_camera(clean, shot), sites)
    spread = np.sqrt(shot.shot_noise * raw + shot.read_noise)
    noisy_raw = raw + spread * rng.standard_normal(raw.shape, np.float32)
    photos = [
        np.clip(camera.resample(_develop(values, sites, shot), size_px), 0, 1)
        for values in (noisy_raw, raw)
    ]
    noisy = np.round(photos[0] * 255).astype(np.uint8)
    if shot.quality_pct:
        noisy = _through_jpeg(noisy, shot)
    return noisy, photos[1]


def sensor_px(size_px: int, shot: Shot) -> int:
    """Return the sensor's size for a photo's size: even, for whole 2 × 2 cells."""
    return 2 * int(np.ceil(size_px * shot.shrink / 2))


def _to_camera(clean: Array, shot: Shot) -> Array:
    """Undo tone curve, gamma, colour matrix and white balance (Brooks, section 3)."""
    linear = _linear(_untone(np.clip(clean, 0, 1), shot.contrast))
    sensor = linear @ np.linalg.inv(shot.matrix).T.astype(np.float32)
    result: Array = np.clip(sensor, 0, 1) / shot.gains
    return result


def _develop(raw: Array, sites: npt.NDArray[np.uint8], shot: Shot) -> Array:
    balanced = np.clip(_demosaic(raw, sites, shot) * shot.gains, 0, 1)
    linear = np.clip(balanced @ shot.matrix.T, 0, 1)
    image = _tone(_gamma(linear), shot.contrast)
    if shot.sharpen:
        luma = image @ camera.LUMA
        fine = luma - ndimage.gaussian_filter(luma, 1.0)
        image = image + shot.sharpen * fine[..., None]
    return image


def _demosaic(raw: Array, sites: npt.NDArray[np.uint8], shot: Shot) -> Array:
    green = camera.interpolated_green(raw, sites)
    if shot.sharp_green:
        corrected = ndimage.correlate(raw, _GRADIENT, mode="mirror")
        green = np.where(sites == 1, raw, corrected)
    return camera.demosaic(raw, sites, green, shot.sharp_green)


def _mosaic(planes: Array, sites: npt.NDArray[np.uint8]) -> Array:
    return np.take_along_axis(planes, sites[..., None].astype(np.intp), 2)[..., 0]


def _through_jpeg(image: npt.NDArray[np.uint8], shot: Shot) -> npt.NDArray[np.uint8]:
    buffer = io.BytesIO()
    Image.fromarray(image).save(
        buffer,
        "JPEG",
        quality=shot.quality_pct,
        subsampling="4:2:0" if shot.chroma_half else "4:4:4",
    )
    with Image.open(buffer) as decoded:
        return np.asarray(decoded)


def _tone(encoded: Array, contrast: float) -> Array:
    """Mix in the smoothstep curve 3x² - 2x³."""
    curve = encoded * encoded * (3 - 2 * encoded)
    return encoded + np.float32(contrast) * (curve - encoded)


def _untone(toned: Array, contrast: float) -> Array:
    """Invert `_tone` by Newton's method: smooth and monotonic, four steps suffice."""
    level = toned
    for _ in range(4):
        slope = 1 + np.float32(contrast) * (6 * level * (1 - level) - 1)
        error = _tone(level, contrast) - toned
        level = np.clip(level - error / np.maximum(slope, 0.05), 0, 1)
    return level


def _gamma(linear: Array) -> Array:
    bright = 1.055 * np.maximum(linear, 0.0031308) ** np.float32(1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, bright)


def _linear(encoded: Array) -> Array:
    bright = ((np.maximum(encoded, 0.04045) + 0.055) / 1.055) ** np.float32(2.4)
    return np.where(encoded <= 0.04045, encoded / 12.92, bright).astype(np.float32)
