"""The lower part of a contact sheet: average spectra of sources, and their differences."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasfaces.channels.average_spectra import Plane, radial
from kerasfaces.channels.sheet import (
    COLOURS,
    Page,
    Source,
    colour_limits,
    without_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches.
SQUARE, BESIDE, BETWEEN, BAR, CURVES = 2.9, 0.25, 0.55, 0.16, 2.3
MARGIN, UNDER = 0.95, 0.55
_LEAST_DB = 1.0


def draw_spectra(
    page: Page, sources: Sequence[Source], n_wide: int, top: float
) -> None:
    """Draw, in bands of two rows, the averages and under them the differences."""
    low, high = colour_limits([one.average.mean for one in sources if one.average])
    gaps = [one.difference.plane for one in sources if one.difference]
    largest = [float(np.percentile(np.abs(gap), 99.8)) for gap in gaps]
    limit = max([_LEAST_DB, *largest])
    beside = MARGIN + n_wide * (SQUARE + BESIDE) - 0.05
    for at, one in enumerate(sources):
        band, column = divmod(at, n_wide)
        left = MARGIN + column * (SQUARE + BESIDE)
        bottom = top - 2 * band * (SQUARE + BETWEEN) - SQUARE
        if one.average is not None:
            upper = page.axes(left, bottom, SQUARE, SQUARE)
            title = f"{one.name} ({one.label}), n = {one.average.n:,}"
            upper.set_title(title, size=11, color=COLOURS[one.label])
            shown = _draw_plane(
                upper, one.average.mean, "magma", (low, high), column == 0
            )
            if column == 0:
                _draw_bar(page, shown, beside, bottom, "dB re 1 grey level")
        bottom -= SQUARE + BETWEEN
        lower = page.axes(left, bottom, SQUARE, SQUARE)
        difference = one.difference
        if difference is None:
            without_ticks(lower).set_color("#ccc")
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


def _draw_bar(page: Page, shown: Any, left: float, bottom: float, text: str) -> None:
    bar = page.figure.colorbar(shown, cax=page.axes(left, bottom, BAR, SQUARE))
    bar.set_label(text, size=8)
    bar.ax.tick_params(labelsize=7)


def draw_curves(page: Page, sources: Sequence[Source]) -> None:
    """Draw, at the foot of the page, the averages and the differences over frequency."""
    width = (page.width - MARGIN - 0.8 - 0.35) / 2
    means = page.axes(MARGIN, UNDER, width, CURVES)
    differences = page.axes(MARGIN + width + 0.8, UNDER, width, CURVES)
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
