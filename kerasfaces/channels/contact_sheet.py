"""The picture of a channel store: arrays enter, a PNG leaves.

Above, a row per image: the image, its mask, noise pattern, amplitude and phase. Below, a
column per source: the average amplitude spectrum, and its difference from the average
over all real images; then both as curves over frequency.
"""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.channels.average_spectra import Average, Difference, Plane, radial
from kerasfaces.core.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"real": "#1f6f8b", "fake": "#b5482e"}
_DPI = 130
# Inches: the rows of images, then the spectra.
_CELL, _GAP, _LEFT, _ABOVE, _BELOW = 2.0, 0.07, 0.85, 1.05, 0.45
_SQUARE, _BESIDE, _BETWEEN, _BAR, _CURVES = 2.9, 0.25, 0.55, 0.16, 2.3
_MARGIN, _OVER, _UNDER = 0.95, 0.95, 0.55
_WIDEST = 4  # sources side by side
_FITTED = 99.0  # percentile of the noise that reaches the ends of the grey scale
_LEAST_DB = 1.0
_UNITS = {
    "log": "ln(1 + A / 1e-4), A in grey levels",
    "raw": "grey levels",
    "liu2022": "(|F| + 1e-8)^0.8, orthonormal",
}
_CAPTION = (
    "per image |F| / (M N), mean of the colours; mean of dB over the images; below, the "
    "difference from all real images; circles: peaks of 6 sigma"
)


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


class _Page:
    """A figure whose places are inches from its lower left corner."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), facecolor="white")

    def axes(self, left: float, bottom: float, width: float, height: float) -> "Axes":
        wide, high = self.width, self.height
        place = (left / wide, bottom / high, width / wide, height / high)
        return self.figure.add_axes(place)

    def text(self, left: float, bottom: float, text: str, **style: Any) -> None:
        at = (left / self.width, bottom / self.height)
        self.figure.text(*at, text, va="center", **style)


def draw(
    sources: Sequence[Source], path: Path, about: About, gain: float | None = None
) -> None:
    """Draw the sheet into a PNG; see `figure_of`."""
    with atomic_path(path) as temporary:
        figure_of(sources, about, gain).savefig(temporary, dpi=_DPI, format="png")


def figure_of(
    sources: Sequence[Source], about: About, gain: float | None = None
) -> "Figure":
    """Draw the sheet.

    Args:
        sources: Real ones first.
        about: Channel names, size and dtype of the store, for the heading.
        gain: Factor of the noise pattern; None fits it to the images.
    """
    rows = [row for one in sources for row in one.rows]
    columns = [
        name
        for name in ("image", "mask", "lnp", "amplitude", "phase")
        if any(getattr(row, name) is not None for row in rows)
    ]
    averaged = [one for one in sources if one.average is not None and one.average.n]
    n_wide = max(1, min(_WIDEST, len(averaged)))
    n_spectra = 2 * math.ceil(len(averaged) / n_wide)
    below = _OVER + n_spectra * (_SQUARE + _BETWEEN) + 0.3 + _CURVES + _UNDER
    below = below if averaged else 0.0
    page = _Page(
        max(
            _LEFT + len(columns) * (_CELL + _GAP) + 0.15,
            2 * _MARGIN + n_wide * (_SQUARE + _BESIDE) + _BAR,
        ),
        below + _BELOW + len(rows) * (_CELL + _GAP) + _ABOVE,
    )
    if gain is None:
        gain = fitted_gain(rows)
    limits = _limits([row.amplitude for row in rows])
    _draw_headings(page, columns, about, gain, limits, below)
    _draw_rows(page, sources, columns, gain, limits)
    if averaged:
        page.text(
            0.15,
            below - 0.22,
            f"Average amplitude spectrum of the {about.averaged}",
            size=14,
            weight="bold",
        )
        page.text(0.15, below - 0.47, _CAPTION, size=8.5, color="#555")
        _draw_spectra(page, averaged, n_wide, below - _OVER)
        _draw_curves(page, averaged)
    return page.figure


def fitted_gain(rows: Sequence[Row]) -> float:
    """Return a gain (1, 2, 5, 10, …) that spreads the noise over the grey scale."""
    levels = [
        np.percentile(np.abs(row.lnp), _FITTED) for row in rows if row.lnp is not None
    ]
    largest = max(levels, default=0.0)
    if largest <= 0:
        return 1.0
    wanted = 127.0 / largest
    power = 10.0 ** math.floor(math.log10(wanted))
    return float(max(1.0, power * max(n for n in (1, 2, 5) if n * power <= wanted)))


def _draw_headings(
    page: _Page,
    columns: Sequence[str],
    about: About,
    gain: float,
    limits: tuple[float, float],
    bottom: float,
) -> None:
    page.text(0.15, page.height - 0.3, "Channels", size=16, weight="bold")
    facts = f"{about.size_px} px · mask: {about.mask} · {', '.join(about.channels)}"
    page.text(0.15, page.height - 0.58, facts, size=9, color="#555")
    titles = {
        "image": "image",
        "mask": f"mask ({about.mask})",
        "lnp": f"noise pattern × {gain:g}",
        "amplitude": f"amplitude of {about.transformed_channel or 'spectrum'}",
        "phase": "phase",
    }
    for number, name in enumerate(columns):
        middle = _LEFT + number * (_CELL + _GAP) + _CELL / 2
        height = page.height - _ABOVE + 0.12
        page.text(middle, height, titles[name], size=10.5, ha="center")
    unit = _UNITS.get(about.amplitude, "as stored")
    notes = {
        "lnp": f"noise pattern: middle grey + {gain:g} × grey levels",
        "amplitude": (
            f"amplitude: {unit}, black {limits[0]:.2f} to white {limits[1]:.2f}"
        ),
        "phase": "phase: −π to π, cyclic colours",
    }
    text = " · ".join(notes[name] for name in columns if name in notes)
    page.text(_LEFT, bottom + 0.2, text, size=7.5, color="#555")


def _draw_rows(
    page: _Page,
    sources: Sequence[Source],
    columns: Sequence[str],
    gain: float,
    limits: tuple[float, float],
) -> None:
    """Draw a row per image."""
    bottom = page.height - _ABOVE
    for source in sources:
        for row in source.rows:
            bottom -= _CELL + _GAP
            for number, name in enumerate(columns):
                left = _LEFT + number * (_CELL + _GAP)
                axes = page.axes(left, bottom, _CELL, _CELL)
                _bare(axes).set_visible(False)
                _draw_cell(axes, row, name, gain, limits)
            middle = bottom + _CELL / 2
            upright: dict[str, Any] = {"rotation": 90, "ha": "center"}
            page.text(
                _LEFT - 0.1, middle, row.name[:30], size=6.5, color="#777", **upright
            )
            if row is source.rows[0]:
                page.text(
                    0.38, middle, f"{source.name}\n{source.label}", size=11,
                    weight="bold", color=_COLOURS[source.label], linespacing=1.4,
                    **upright,
                )  # fmt: skip


def _draw_cell(
    axes: "Axes", row: Row, name: str, gain: float, limits: tuple[float, float]
) -> None:
    value = getattr(row, name)
    if value is None:
        axes.text(0.5, 0.5, "not stored", ha="center", va="center", color="#999")
    elif name == "image":
        axes.imshow(value, interpolation="none")
    elif name == "mask":
        axes.imshow(value, cmap="gray", vmin=0, vmax=1, interpolation="none")
    elif name == "lnp":
        shown = np.clip(127.5 + gain * value, 0, 255).astype(np.uint8)
        axes.imshow(shown, interpolation="none")
    elif name == "amplitude":
        axes.imshow(value, cmap="gray", vmin=limits[0], vmax=limits[1])
    else:
        axes.imshow(value, cmap="twilight", vmin=-np.pi, vmax=np.pi)


def _limits(planes: Sequence[NDArray[Any] | None]) -> tuple[float, float]:
    """Return common colour limits that a few extreme values do not decide."""
    values = [plane for plane in planes if plane is not None]
    if not values:
        return 0.0, 1.0
    low = min(float(np.percentile(plane, 0.5)) for plane in values)
    high = max(float(np.percentile(plane, 99.8)) for plane in values)
    return low, max(high, low + 1e-6)


def _bare(axes: "Axes") -> Any:
    """Take the ticks away, and return the frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    return axes.spines[:]


def _draw_spectra(
    page: _Page, sources: Sequence[Source], n_wide: int, top: float
) -> None:
    """Draw, in bands of two rows, the averages and under them the differences."""
    low, high = _limits([one.average.mean for one in sources if one.average])
    gaps = [one.difference.plane for one in sources if one.difference]
    largest = [float(np.percentile(np.abs(gap), 99.8)) for gap in gaps]
    limit = max([_LEAST_DB, *largest])
    beside = _MARGIN + n_wide * (_SQUARE + _BESIDE) - 0.05
    for at, one in enumerate(sources):
        band, column = divmod(at, n_wide)
        left = _MARGIN + column * (_SQUARE + _BESIDE)
        bottom = top - 2 * band * (_SQUARE + _BETWEEN) - _SQUARE
        if one.average is not None:
            upper = page.axes(left, bottom, _SQUARE, _SQUARE)
            title = f"{one.name} ({one.label}), n = {one.average.n:,}"
            upper.set_title(title, size=11, color=_COLOURS[one.label])
            shown = _draw_plane(
                upper, one.average.mean, "magma", (low, high), column == 0
            )
            if column == 0:
                _draw_bar(page, shown, beside, bottom, "dB re 1 grey level")
        bottom -= _SQUARE + _BETWEEN
        lower = page.axes(left, bottom, _SQUARE, _SQUARE)
        difference = one.difference
        if difference is None:
            _bare(lower).set_color("#ccc")
            text = "the reference" if one.label == "real" else "no real images"
            lower.text(
                0.5, 0.5, text, ha="center", va="center", color="#777",
                transform=lower.transAxes,
            )  # fmt: skip
            continue
        shown = _draw_plane(
            lower, difference.plane, "RdBu_r", (-limit, limit), column == 0
        )
        for peak in difference.peaks:
            for sign in (1, -1):
                circle = (sign * peak.column, sign * peak.row)
                lower.plot(*circle, "o", mfc="none", mec="black", ms=8, clip_on=False)
        lower.set_title(
            f"minus real: ± {difference.error_db:.2f} dB per frequency, "
            f"{len(difference.peaks) or 'no'} peaks",
            size=9,
        )
        _draw_bar(page, shown, beside, bottom, "dB against real")


def _draw_plane(
    axes: "Axes", plane: Plane, colours: str, limits: tuple[float, float], first: bool
) -> Any:
    height, width = plane.shape
    left, top = -(width // 2) - 0.5, -(height // 2) - 0.5
    extent = (left, left + width, top + height, top)
    low, high = limits
    shown = axes.imshow(plane, cmap=colours, vmin=low, vmax=high, extent=extent)
    axes.tick_params(labelsize=7, labelleft=first)
    if first:
        axes.set_ylabel("vertical, cycles / image", size=8)
    return shown


def _draw_bar(page: _Page, shown: Any, left: float, bottom: float, text: str) -> None:
    bar = page.figure.colorbar(shown, cax=page.axes(left, bottom, _BAR, _SQUARE))
    bar.set_label(text, size=8)
    bar.ax.tick_params(labelsize=7)


def _draw_curves(page: _Page, sources: Sequence[Source]) -> None:
    width = (page.width - _MARGIN - 0.8 - 0.35) / 2
    means = page.axes(_MARGIN, _UNDER, width, _CURVES)
    differences = page.axes(_MARGIN + width + 0.8, _UNDER, width, _CURVES)
    for number, one in enumerate(sources):
        style: dict[str, Any] = {"color": f"C{number}", "lw": 1.5}
        style["label"] = f"{one.name} ({one.label})"
        if one.average is not None:
            dash = "-" if one.label == "real" else "--"
            means.plot(*_rings(one.average.mean), ls=dash, **style)
        if one.difference is not None:
            differences.plot(*_rings(one.difference.plane), **style)
    differences.axhline(0, color="#999", lw=0.8)
    means.set_ylabel("dB re 1 grey level", size=8)
    differences.set_ylabel("dB against real", size=8)
    means.set_title("mean of rings of equal frequency", size=9)
    differences.set_title("the same, difference from real", size=9)
    for axes in (means, differences):
        axes.set_xlabel("cycles / image", size=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.01)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, frameon=False)


def _rings(plane: Plane) -> tuple[Plane, Plane]:
    """Return frequencies from 1 on, and their means."""
    values = radial(plane)
    return np.arange(1.0, len(values)), values[1:]
