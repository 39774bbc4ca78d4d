"""What a contact sheet shows, and its page, measured in inches."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.channels.average_spectra import Average, Difference

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"real": "#1f6f8b", "fake": "#b5482e"}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """One image and what the store has of it; None where it has nothing.

    Attributes:
        name: The file's name.
        image: `(h, w, 3)` uint8, as loaded.
        mask: `(h, w)`, 1 = kept.
        lnp: `(h, w, 3)`, grey levels, signed.
        amplitude: `(h, w)`, as stored, mean of the colours.
        phase: `(h, w)`, radians, of the first colour.
    """

    name: str
    image: NDArray[np.uint8]
    mask: NDArray[np.float32] | None = None
    lnp: NDArray[np.float32] | None = None
    amplitude: NDArray[np.float32] | None = None
    phase: NDArray[np.float32] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """One camera data set or generator.

    Attributes:
        name: Its name.
        label: `real` or `fake`.
        n_rows: Number of its images in the manifest.
        n_stored: Number of these that have an array in the store.
        rows: A few of them.
        average: Their mean amplitude spectrum; None without one.
        difference: From all real images; None for what is all there is of them.
    """

    name: str
    label: str
    n_rows: int
    n_stored: int
    rows: Sequence[Row]
    average: Average | None
    difference: Difference | None = None


@dataclasses.dataclass(frozen=True)
class About:
    """What the store holds, for headings.

    Attributes:
        channels: Names.
        mask: Name of the mask.
        size_px: Side of the arrays.
        amplitude: Scale of stored amplitudes; empty without any.
        transformed_channel: What they are spectra of; empty without any.
        averaged: What the average spectra are of, in words; empty without any.
    """

    channels: Sequence[str]
    mask: str
    size_px: int
    amplitude: str
    transformed_channel: str
    averaged: str


class Page:
    """A figure whose places are inches from its lower left corner."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), facecolor="white")

    def axes(self, left: float, bottom: float, width: float, height: float) -> "Axes":
        """Return new axes at a place."""
        wide, high = self.width, self.height
        place = (left / wide, bottom / high, width / wide, height / high)
        return self.figure.add_axes(place)

    def text(self, left: float, bottom: float, text: str, **style: Any) -> None:
        """Write at a place, in the middle of the line's height."""
        at = (left / self.width, bottom / self.height)
        self.figure.text(*at, text, va="center", **style)


def colour_limits(planes: Sequence[NDArray[Any] | None]) -> tuple[float, float]:
    """Return common colour limits that a few extreme values do not decide."""
    values = [plane for plane in planes if plane is not None]
    if not values:
        return 0.0, 1.0
    low = min(float(np.percentile(plane, 0.5)) for plane in values)
    high = max(float(np.percentile(plane, 99.8)) for plane in values)
    return low, max(high, low + 1e-6)


def without_ticks(axes: "Axes") -> Any:
    """Take the ticks away, and return the frame's sides."""
    axes.set_xticks([])
    axes.set_yticks([])
    return axes.spines[:]
