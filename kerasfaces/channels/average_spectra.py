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
from typing import Self

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
        n: Number of images.
        mean: `(h, w)`, dB, centred; NaN without images.
        error: `(h, w)`, the mean's standard error.
    """

    n: int
    mean: Plane
    error: Plane

    @classmethod
    def of_sums(cls, n: int, mean: Plane, squares: Plane) -> Self:
        """Return an average of `n` images from the sums of their squares."""
        variance = np.maximum(squares / n - mean**2, 0) * n / max(1, n - 1)
        return cls(n, mean, np.sqrt(variance / n))


@dataclasses.dataclass(frozen=True)
class Peak:
    """A frequency that stands out of its neighbourhood in a difference.

    Attributes:
        row: Cycles per image, downwards.
        column: Cycles per image, to the right; one of two mirrored halves.
        excess_db: Height above the median around it.
        sigma: The same, in robust standard deviations of all such excesses.
    """

    row: int
    column: int
    excess_db: float
    sigma: float


class Difference:
    """How far an average lies above that of all real images.

    Attributes:
        plane: `(h, w)`, decibels, centred.
        error_db: Typical (median) standard error of one frequency.
        peaks: Frequencies that stand out, strongest first.
        n_real: Number of real images.
    """

    def __init__(self, average: Average, real: Average) -> None:
        self.plane = average.mean - real.mean
        self.error_db = float(np.median(np.hypot(average.error, real.error)))
        self.peaks = peaks(self.plane)
        self.n_real = real.n


def amplitude(batch: NDArray[np.floating]) -> Plane:
    """Return images' centred amplitudes `(n, h, w)`, means of colours, in grey levels.

    The images are `(n, h, w, c)`, grey levels.
    """
    from scipy import fft

    height, width = batch.shape[1:3]
    planes = np.moveaxis(batch.astype(np.float32), -1, 1)
    mean = np.abs(fft.fft2(planes, workers=-1)).mean(axis=1) / (height * width)
    shifted: Plane = np.fft.fftshift(mean, axes=(1, 2)).astype(np.float64)
    return shifted


def average(batches: Iterable[NDArray[np.floating]], shape: tuple[int, int]) -> Average:
    """Return the mean amplitude spectrum of images `(n, h, w, c)`, batch by batch."""
    total, squares, n = np.zeros(shape), np.zeros(shape), 0
    for batch in batches:
        decibels = 20 * np.log10(np.maximum(amplitude(batch), _SMALLEST))
        total += decibels.sum(axis=0)
        squares += (decibels**2).sum(axis=0)
        n += len(decibels)
    if n == 0:
        return Average(0, np.full(shape, np.nan), np.full(shape, np.nan))
    return Average.of_sums(n, total / n, squares)


def pooled(parts: Iterable[Average]) -> Average:
    """Return the average over all images of several averages, one or more."""
    parts = [part for part in parts if part.n]
    n = sum(part.n for part in parts)
    mean = np.sum([part.mean * part.n for part in parts], axis=0) / n
    squares = np.sum(
        [(part.error**2 * (part.n - 1) + part.mean**2) * part.n for part in parts],
        axis=0,
    )
    return Average.of_sums(n, mean, squares)


def peaks(plane: Plane, max_peaks: int = 12) -> list[Peak]:
    """Return the frequencies that stand out of a difference `(h, w)`, strongest first."""
    from scipy import ndimage

    excess = plane - ndimage.median_filter(plane, _AROUND, mode="wrap")
    deviation = 1.4826 * float(np.median(np.abs(excess - np.median(excess))))
    height, width = plane.shape
    rows, columns = np.indices(plane.shape)
    rows, columns = rows - height // 2, columns - width // 2
    counted = _half(rows, columns) & (np.hypot(rows, columns) > _MARGIN)
    sigma = np.where(counted, excess / max(deviation, 1e-9), -np.inf)
    order = np.argsort(-sigma, axis=None)[:max_peaks]
    places = [np.unravel_index(int(at), plane.shape) for at in order]
    return [
        Peak(int(rows[at]), int(columns[at]), float(excess[at]), float(sigma[at]))
        for at in places
        if sigma[at] >= PEAK_SIGMA
    ]


def _half(rows: NDArray[np.int_], columns: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Return one of each two mirrored frequencies, and those that mirror themselves.

    -N/2 is N/2 where a side is even, so its column (its row) mirrors itself as 0 does.
    """
    height, width = rows.shape
    own_column = (columns == 0) | (2 * columns == -width)
    own_row = (rows == 0) | (2 * rows == -height)
    half: NDArray[np.bool_] = np.where(own_column, own_row | (rows > 0), columns > 0)
    return half


def radial(plane: Plane) -> Plane:
    """Return the mean over rings of equal frequency: one value per cycle per image."""
    height, width = plane.shape
    rows, columns = np.indices(plane.shape)
    radius = np.rint(np.hypot(rows - height // 2, columns - width // 2)).astype(int)
    sums = np.bincount(radius.ravel(), plane.ravel())
    means: Plane = sums / np.bincount(radius.ravel())
    return means[: min(height, width) // 2 + 1]
