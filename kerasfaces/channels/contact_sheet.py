"""The picture of a channel store: arrays enter, a PNG leaves.

Above, a row per image: the image, its mask, noise pattern, amplitude and phase. Below, a
column per source: the average amplitude spectrum, and its difference from the average
over all real images; then both as curves over frequency.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasfaces.channels import spectra_figure
from kerasfaces.channels.sheet import (
    COLOURS,
    About,
    Page,
    Row,
    Source,
    colour_limits,
    without_ticks,
)
from kerasfaces.core.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 130
# Inches.
_CELL, _GAP, _LEFT, _ABOVE, _BELOW = 2.0, 0.07, 0.85, 1.05, 0.45
_OVER = 0.95  # the spectra: their heading
_WIDEST = 4  # sources side by side
_FITTED = 99.0  # percentile of the noise that reaches the ends of the grey scale
_UNITS = {
    "log": "ln(1 + A / 1e-4), A in grey levels",
    "raw": "grey levels",
    "liu2022": "(|F| + 1e-8)^0.8, orthonormal",
}
_CAPTION = (
    "per image |F| / (M N), mean of the colours; mean of dB over the images; below, the "
    "difference from all real images; circles: peaks of 6 sigma"
)


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
    below = (
        _OVER
        + n_spectra * (spectra_figure.SQUARE + spectra_figure.BETWEEN)
        + 0.3
        + spectra_figure.CURVES
        + spectra_figure.UNDER
    )
    below = below if averaged else 0.0
    page = Page(
        max(
            _LEFT + len(columns) * (_CELL + _GAP) + 0.15,
            2 * spectra_figure.MARGIN
            + n_wide * (spectra_figure.SQUARE + spectra_figure.BESIDE)
            + spectra_figure.BAR,
        ),
        below + _BELOW + len(rows) * (_CELL + _GAP) + _ABOVE,
    )
    if gain is None:
        gain = fitted_gain(rows)
    limits = colour_limits([row.amplitude for row in rows])
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
        spectra_figure.draw_spectra(page, averaged, n_wide, below - _OVER)
        spectra_figure.draw_curves(page, averaged)
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
    page: Page,
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
    page: Page,
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
                without_ticks(axes).set_visible(False)
                _draw_cell(axes, row, name, gain, limits)
            middle = bottom + _CELL / 2
            upright: dict[str, Any] = {"rotation": 90, "ha": "center"}
            page.text(
                _LEFT - 0.1, middle, row.name[:30], size=6.5, color="#777", **upright
            )
            if row is source.rows[0]:
                page.text(
                    0.38, middle, f"{source.name}\n{source.label}", size=11,
                    weight="bold", color=COLOURS[source.label], linespacing=1.4,
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
