"""Average amplitude spectra per source: where generators leave grids.

mudgal2023's analysis, on the stored noise pattern (the pixels, if a store has no noise
pattern): per image the centred amplitude |F| of the transform with 1/(M N), mean of the
colours; then the mean over the images of a source, of decibels, so that one striped
shirt among a thousand images does not show. Seen against the mean over all real images,
a generator's up-sampling shows as points on a grid; what both classes share, such as
JPEG's own 8 × 8 grid, cancels.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
_SMALLEST = 1e-6  # grey levels; what an empty spectrum counts as
_AROUND = 9  # side of the neighbourhood a peak is compared with
_MARGIN = 6  # cycles per image around (0, 0), where every average is steep
PEAK_SIGMA = 6.0  # of 32,896 independent frequencies, chance leaves none above


@dataclasses.dataclass(frozen=True)
class Average:
    """The mean of images' amplitude spectra in decibels; 0 dB is one grey level.

    Attributes:
        n: Images.
        mean: `(h, w)`, dB, centred; NaN without images.
        error: `(h, w)`, the mean's standard error.
    """

    n: int
    mean: Plane
    error: Plane


@dataclasses.dataclass(frozen=True)
class Peak:
    """A frequency that stands out of its neighbourhood in a difference.

    Attributes:
        row: Cycles per image, downwards.
        column: Cycles per image, to the right; one of two mirrored halves.
        excess_db: Above the median around it.
        sigma: The same, in robust standard deviations of all such excesses.
    """

    row: int
    column: int
    excess_db: float
    sigma: float


def amplitude(batch: NDArray[np.floating]) -> Plane:
    """Return the centred amplitude of every image, mean of its colours.

    Args:
        batch: `(n, h, w, c)`, grey levels.

    Returns:
        `(n, h, w)`, grey levels.
    """
    from scipy import fft

    height, width = batch.shape[1:3]
    planes = np.moveaxis(batch.astype(np.float32), -1, 1)
    found = np.abs(fft.fft2(planes, workers=-1)).mean(axis=1) / (height * width)
    shifted: Plane = np.fft.fftshift(found, axes=(1, 2)).astype(np.float64)
    return shifted


def average(batches: Iterable[NDArray[np.floating]], shape: tuple[int, int]) -> Average:
    """Return the mean amplitude spectrum of images `(n, h, w, c)`, batch by batch."""
    total, squares, n = np.zeros(shape), np.zeros(shape), 0
    for batch in batches:
        found = decibel(amplitude(batch))
        total += found.sum(axis=0)
        squares += (found**2).sum(axis=0)
        n += len(found)
    if n == 0:
        return Average(0, np.full(shape, np.nan), np.full(shape, np.nan))
    mean = total / n
    variance = np.maximum(squares / n - mean**2, 0) * n / max(1, n - 1)
    return Average(n, mean, np.sqrt(variance / n))


def pooled(parts: Iterable[Average]) -> Average:
    """Return the average over all images of several averages."""
    parts = [part for part in parts if part.n]
    n = sum(part.n for part in parts)
    mean = sum((part.mean * part.n for part in parts), np.zeros(())) / n
    squares = sum(
        ((part.error**2 * (part.n - 1) + part.mean**2) * part.n for part in parts),
        np.zeros(()),
    )
    variance = np.maximum(squares / n - mean**2, 0) * n / max(1, n - 1)
    return Average(n, np.asarray(mean), np.asarray(np.sqrt(variance / n)))


def decibel(plane: Plane) -> Plane:
    """Return 20 log10 of grey levels."""
    found: Plane = 20 * np.log10(np.maximum(plane, _SMALLEST))
    return found


def difference(one: Average, reference: Average) -> Plane:
    """Return how many decibels `one` lies above the reference."""
    return one.mean - reference.mean


def difference_error(one: Average, reference: Average) -> float:
    """Return the typical (median) standard error of `difference`, in decibels."""
    return float(np.median(np.hypot(one.error, reference.error)))


def peaks(plane: Plane, most: int = 12) -> list[Peak]:
    """Return the frequencies that stand out of a difference, strongest first.

    Args:
        plane: `(h, w)`, decibels, centred.
        most: Upper limit of their number.
    """
    from scipy import ndimage

    excess = plane - ndimage.median_filter(plane, _AROUND, mode="wrap")
    spread = 1.4826 * float(np.median(np.abs(excess - np.median(excess))))
    height, width = plane.shape
    rows, columns = np.indices(plane.shape)
    rows, columns = rows - height // 2, columns - width // 2
    far = np.hypot(rows, columns) > _MARGIN
    counted = _half(rows, columns) & far
    sigma = np.where(counted, excess / max(spread, 1e-9), -np.inf)
    order = np.argsort(-sigma, axis=None)[:most]
    chosen = [np.unravel_index(int(at), plane.shape) for at in order]
    return [
        Peak(int(rows[at]), int(columns[at]), float(excess[at]), float(sigma[at]))
        for at in chosen
        if sigma[at] >= PEAK_SIGMA
    ]


def _half(rows: NDArray[np.int_], columns: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Return one of each two mirrored frequencies, and those that mirror themselves.

    -N/2 is N/2 where a side is even, so its column (its row) mirrors itself as 0 does.
    """
    height, width = rows.shape
    own_column = (columns == 0) | (2 * columns == -width)
    own_row = (rows == 0) | (2 * rows == -height)
    kept: NDArray[np.bool_] = (~own_column & (columns > 0)) | (
        own_column & (own_row | (rows > 0))
    )
    return kept


def radial(plane: Plane) -> Plane:
    """Return the mean over rings of equal frequency: one value per cycle per image."""
    height, width = plane.shape
    rows, columns = np.indices(plane.shape)
    radius = np.rint(np.hypot(rows - height // 2, columns - width // 2)).astype(int)
    count = min(height, width) // 2 + 1
    sums = np.bincount(radius.ravel(), plane.ravel())[:count]
    found: Plane = sums / np.bincount(radius.ravel())[:count]
    return found
