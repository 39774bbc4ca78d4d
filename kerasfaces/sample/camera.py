"""What makes a picture "real" here: a lens, a colour filter array, noise, a tone curve.

A scene in linear light enters, an sRGB picture in [0, 1] leaves.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from kerasfaces.core.rng import generator
from kerasfaces.sample.canvas import Array, blur

CAMERAS = 6
# Sites of red and blue in the 2 × 2 cell, for the four orders sensors come in.
_ORDERS = (((0, 0), (1, 1)), ((1, 1), (0, 0)), ((0, 1), (1, 0)), ((1, 0), (0, 1)))
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_CROSS = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32) / 4
_SQUARE = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A simulated camera body and its constant properties."""

    sensor_px: int  # sites along each side; the photo is scaled down from them
    order: int  # number of the filter's order, 0 to 3
    by_colour_difference: bool  # demosaic red and blue as differences to green
    full_well_e: float  # electrons at white, at base sensitivity
    read_noise_e: float  # standard deviation of the read-out, in electrons
    pattern: Array  # (n, n) float32, each site's gain, mean 1
    rows: Array  # (n, 1) float32, each row's offset as a fraction of white
    contrast: float  # strength of the tone curve's S
    sharpen: float  # amount of the unsharp mask
    chroma_blur_px: float  # colour noise reduction


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A simulated exposure: what differs from photo to photo."""

    blur_px: float  # standard deviation of lens and focus blur, photo pixels
    exposure: float  # factor on the scene's light
    cast: Array  # (3,) float32, the light's colour
    balance: Array  # (3,) float32, what the camera multiplies to undo it, roughly
    sensitivity: float  # factor by which fewer electrons were caught


def camera(seed: int, number: int, size_px: int) -> Camera:
    """Return camera `number` of the set that belongs to `seed`."""
    rng = generator(seed, "camera", number, size_px)
    sensor_px = 2 * int(rng.uniform(0.6, 0.95) * size_px)
    return Camera(
        sensor_px=sensor_px,
        order=int(rng.integers(4)),
        by_colour_difference=bool(number % 2),
        full_well_e=float(rng.uniform(2500, 6000)),
        read_noise_e=float(rng.uniform(3, 9)),
        pattern=1 + 0.012 * rng.standard_normal((sensor_px, sensor_px), np.float32),
        rows=0.0012 * rng.standard_normal((sensor_px, 1), np.float32),
        contrast=float(rng.uniform(0.0, 0.5)),
        sharpen=float(rng.uniform(0.0, 0.7)),
        chroma_blur_px=float(rng.choice([0.0, 0.6, 1.0])),
    )


def draw_shot(rng: np.random.Generator) -> Shot:
    """Draw one exposure."""
    cast = np.exp(rng.normal(0, 0.10, 3)).astype(np.float32)
    return Shot(
        blur_px=float(rng.uniform(0.35, 0.75)),
        exposure=float(np.exp(rng.normal(0.05, 0.15))),
        cast=cast,
        balance=(1 / cast * np.exp(rng.normal(0, 0.03, 3))).astype(np.float32),
        sensitivity=float(np.exp(rng.uniform(0, np.log(6)))),
    )


def through_lens(scene: Array, body: Camera, shot: Shot) -> Array:
    """Return a (h, w, 3) scene blurred, exposed and sampled: (n, n, 3) linear light."""
    soft = resample(blur(scene, shot.blur_px * scene.shape[0] / 160), body.sensor_px)
    return np.clip(soft * (shot.exposure * shot.cast), 0, 1.2)


def capture(
    light: Array, body: Camera, shot: Shot, size_px: int, rng: np.random.Generator
) -> Array:
    """Return the photo, (size_px, size_px, 3) float32 sRGB in [0, 1].

    `light` is what `through_lens` made of the scene; cameras have more sites than their
    photos pixels.
    """
    sites = colour_sites(body.sensor_px, body.order)
    raw = np.where(sites == 0, light[..., 0], light[..., 1])
    raw = np.where(sites == 2, light[..., 2], raw) * body.pattern
    electrons = body.full_well_e / shot.sensitivity
    spread = np.sqrt(np.clip(raw, 0, None) * electrons + body.read_noise_e**2)
    noise = rng.standard_normal(raw.shape, np.float32) * spread / electrons
    raw = np.clip(raw + noise + body.rows, 0, 1)
    raw = (np.round(raw * 4095) / np.float32(4095)).astype(np.float32)
    green = interpolated_green(raw, sites)
    linear = demosaic(raw, sites, green, body.by_colour_difference)
    return _finish(resample(linear, size_px), body, shot)


def resample(image: Array, size_px: int) -> Array:
    """Return a (n, n, 3) picture scaled to `(size_px, size_px, 3)`, bicubic."""
    if image.shape[0] == size_px:
        return image
    size = (size_px, size_px)
    planes = [Image.fromarray(np.ascontiguousarray(image[..., i])) for i in range(3)]
    scaled = [plane.resize(size, Image.Resampling.BICUBIC) for plane in planes]
    return np.stack([np.asarray(plane) for plane in scaled], axis=-1)


def colour_sites(size: int, order: int) -> np.ndarray:
    """Return (size, size) uint8: which colour each site sees (0 red, 1 green, 2 blue)."""
    sites = np.ones((size, size), np.uint8)
    for colour, (row, column) in zip((0, 2), _ORDERS[order], strict=True):
        sites[row::2, column::2] = colour
    return sites


def demosaic(raw: Array, sites: np.ndarray, green: Array, by_difference: bool) -> Array:
    """Return (n, n, 3) linear light of a sensor's values, `(n, n)`, by the sites' colours.

    Red and blue may be interpolated as differences to `green`, (n, n).
    """
    planes = [green, green, green]
    for colour in (0, 2):
        known = (raw - green if by_difference else raw) * (sites == colour)
        filled = ndimage.correlate(known, _SQUARE, mode="mirror")
        planes[colour] = filled + green if by_difference else filled
    return np.stack(planes, axis=-1)


def interpolated_green(raw: Array, sites: np.ndarray) -> Array:
    """Return green at every site, the mean of its neighbours where it is not measured."""
    green: Array = ndimage.correlate(raw * (sites == 1), _CROSS, mode="mirror")
    return green


def _finish(linear: Array, body: Camera, shot: Shot) -> Array:
    image = _tone(linear * shot.balance, body)
    luma = image @ LUMA
    if body.chroma_blur_px:
        image = luma[..., None] + blur(image - luma[..., None], body.chroma_blur_px)
    sharp = body.sharpen * (luma - blur(luma, 1.0))
    return np.clip(image + sharp[..., None], 0, 1)


def _tone(linear: Array, body: Camera) -> Array:
    level = np.clip(linear, 0, 1)
    bright = np.clip(level, 0.0031308, None) ** np.float32(1 / 2.4)
    encoded = np.where(level <= 0.0031308, 12.92 * level, 1.055 * bright - 0.055)
    curve = encoded * encoded * (3 - 2 * encoded)
    result: Array = encoded + np.float32(body.contrast) * (curve - encoded)
    return result
