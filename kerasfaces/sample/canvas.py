"""Drawing with arrays: coordinates, soft edges, colour layers and noise.

Everything is float32, in linear light, `(h, w)` masks in [0, 1] and `(h, w, 3)` colours.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[np.floating[Any]]  # float32; NumPy's types lose track of it
Point = tuple[float, float]
Window = tuple[slice, slice]


@dataclass
class Canvas:
    """A picture in the making, painted in place, and a coordinate frame on it."""

    image: Array  # (s, s, 3) float32, linear light
    x: Array  # (s, s) float32, to the viewer's right; 0 at the face's centre
    y: Array  # (s, s) float32, downwards; the chin is near 1, the crown near -1
    pixel: float  # a pixel's width in these units

    def edge(self, distance: Array, soft: float = 0.0) -> Array:
        """Return the mask of `distance < 0`, antialiased or softened over `soft`."""
        width = max(1.2 * self.pixel, soft)
        mask: Array = np.clip(0.5 - distance / width, 0, 1)
        return mask

    def paint(self, mask: Array, colour: npt.ArrayLike) -> None:
        """Lay `colour` (one, or one a pixel) over the picture where `mask` is."""
        window = _window(mask)
        layer = np.asarray(colour, np.float32)
        layer = layer[window] if layer.ndim == 3 else layer
        part = self.image[window]
        part += mask[window][..., None] * (layer - part)

    def shade(self, factor: Array) -> None:
        """Multiply the picture's light by an (s, s) factor."""
        window = _window(factor != 1)
        part = self.image[window]
        part *= factor[window][..., None]

    def near(self, at: Point, reach: Point) -> Window:
        """Return the smallest window with all pixels within `reach` of `at`."""
        close = np.abs(self.x - at[0]) < reach[0], np.abs(self.y - at[1]) < reach[1]
        return _window(close[0] & close[1])

    def part(self, window: Window) -> "Canvas":
        """Return a window of this canvas; painting on it paints here."""
        return Canvas(self.image[window], self.x[window], self.y[window], self.pixel)

    def moved(self, x: Array, y: Array) -> "Canvas":
        """Return the same picture with another frame."""
        return Canvas(self.image, x, y, self.pixel)

    def ellipse(self, at: Point, radius: Point) -> Array:
        """Return an approximate signed distance to an axis-parallel ellipse."""
        reach = np.hypot((self.x - at[0]) / radius[0], (self.y - at[1]) / radius[1])
        distance: Array = (reach - 1) * min(radius)
        return distance

    def bump(self, at: Point, radius: Point) -> Array:
        """Return a Gaussian hill of height 1."""
        x, y = (self.x - at[0]) / radius[0], (self.y - at[1]) / radius[1]
        reach = x**2 + y**2
        hill = np.zeros_like(reach)
        near = reach < 12  # beyond, the hill is lower than 1e-5
        hill[near] = np.exp(-reach[near])
        return hill


def _window(mask: Array | npt.NDArray[np.bool_]) -> Window:
    """Return the smallest window that holds all of `mask` that is not zero."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return slice(0), slice(0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def canvas(size: int, place: dict[str, float]) -> Canvas:
    """Return an empty picture of `size` × `size` whose frame follows `place`."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    x, y = axis[None, :] - place["centre_x"], axis[:, None] - place["centre_y"]
    cos, sin, scale = np.cos(place["roll"]), np.sin(place["roll"]), place["scale"]
    return Canvas(
        np.zeros((size, size, 3), np.float32),
        ((x * cos + y * sin) / scale).astype(np.float32),
        ((y * cos - x * sin) / scale).astype(np.float32),
        2 / size / scale,
    )


def blur(image: Array, sigma_px: float) -> Array:
    """Blur the first two axes."""
    sigma = (sigma_px, sigma_px) + (0,) * (image.ndim - 2)
    result: Array = ndimage.gaussian_filter(image, sigma, mode="reflect", truncate=3.0)
    return result


def noise(rng: np.random.Generator, size: int, cell: float) -> Array:
    """Return smooth noise with unit variance and features of about `cell` pixels."""
    grid = max(4, int(np.ceil(size / cell)) + 3)
    coarse = rng.standard_normal((grid, grid), dtype=np.float32)
    if cell <= 1:
        return coarse[:size, :size]
    shift = rng.random(2, np.float32)[:, None]
    at = np.arange(size, dtype=np.float32) / cell + shift + 1
    across, down = (_hat(line, grid) for line in at)
    smooth = across @ coarse @ down.T
    result: Array = smooth / max(float(smooth.std()), 1e-6)
    return result


def _hat(at: Array, grid: int) -> Array:
    """Return (n, grid) cubic B-spline weights of the places `at` on a grid."""
    distance = np.abs(at[:, None] - np.arange(grid, dtype=np.float32)[None])
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    weights: Array = np.where(distance < 1, near, far).astype(np.float32)
    return weights


def fractal(rng: np.random.Generator, size: int, cell: float, octaves: int) -> Array:
    """Return noise of several scales, halving in size and strength."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        total += noise(rng, size, cell / 2**octave) / 1.7**octave
    return total / max(float(total.std()), 1e-6)
