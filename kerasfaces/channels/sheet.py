"""Draws the contact sheet of `preview`: arrays enter, a PNG leaves.

Above, a row per image: the image, its mask, noise pattern, amplitude and phase. Below, a
column per source: the average amplitude spectrum, and its difference from the average
over all real images; then both as curves over frequency.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.channels import sheet_spectra
from kerasfaces.channels.view import Row, Source
from kerasfaces.core.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

_CELL_IN, _GAP_IN = 2.0, 0.07
_LEFT_IN, _ABOVE_IN, _BELOW_IN = 0.85, 1.05, 0.45
_DPI = 130
_FITTED = 99.0  # percentile of the noise that reaches the ends of the grey scale
_UNITS = {
    "log": "ln(1 + A / 1e-4), A in grey levels",
    "raw": "grey levels",
    "liu2022": "(|F| + 1e-8)^0.8, orthonormal",
}


def draw(
    sources: Sequence[Source],
    path: Path,
    about: Mapping[str, str],
    gain: float | None = None,
) -> None:
    """Draw the sheet.

    Args:
        sources: Real ones first.
        path: PNG to write.
        about: What the store holds (`view.Channels.describe`).
        gain: Of the noise pattern; None fits it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = _columns(sources)
    averaged = [one for one in sources if one.average is not None and one.average.n]
    layout = sheet_spectra.Layout(max(1, len(averaged)))
    n_rows = sum(len(one.rows) for one in sources)
    upper = _ABOVE_IN + n_rows * (_CELL_IN + _GAP_IN) + _BELOW_IN
    lower = layout.height if averaged else 0.01
    width = max(_LEFT_IN + len(columns) * (_CELL_IN + _GAP_IN) + 0.15, layout.total)
    layout.total = width
    height = upper + lower
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1, height_ratios=[upper, lower], hspace=0)
    _draw_rows(parts[0], sources, columns, about, gain, (width, upper))
    if averaged:
        sheet_spectra.draw(parts[1], averaged, layout, about["transformed"])
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, format="png")


def _columns(sources: Sequence[Source]) -> list[str]:
    """Return the columns that any image has something for."""
    rows = [row for one in sources for row in one.rows]
    names = ("image", "mask", "lnp", "amplitude", "phase")
    return [
        name for name in names if any(getattr(row, name) is not None for row in rows)
    ]


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


def _draw_rows(
    figure: "SubFigure",
    sources: Sequence[Source],
    columns: Sequence[str],
    about: Mapping[str, str],
    gain: float | None,
    size: tuple[float, float],
) -> None:
    """Draw a row per image into a figure of `size` inches."""
    width, height = size
    rows = [(one, row) for one in sources for row in one.rows]
    gain = fitted_gain([row for _, row in rows]) if gain is None else gain
    limits = _limits([row.amplitude for _, row in rows])
    _headings(figure, columns, about, gain, limits, size)
    for at, (source, row) in enumerate(rows):
        bottom = height - _ABOVE_IN - (at + 1) * (_CELL_IN + _GAP_IN)
        for number, name in enumerate(columns):
            left = _LEFT_IN + number * (_CELL_IN + _GAP_IN)
            place = (
                left / width, bottom / height, _CELL_IN / width, _CELL_IN / height
            )  # fmt: skip
            axes = figure.add_axes(place)
            _bare(axes)
            _draw_cell(axes, row, name, gain, limits)
        middle = (bottom + _CELL_IN / 2) / height
        figure.text(
            (_LEFT_IN - 0.1) / width, middle, row.name[:30], size=6.5, color="#777",
            rotation=90, ha="center", va="center",
        )  # fmt: skip
        if row is source.rows[0]:
            figure.text(
                0.38 / width, middle, f"{source.name}\n{source.label}", size=11,
                weight="bold", color=sheet_spectra.COLOURS[source.label], rotation=90,
                ha="center", va="center", linespacing=1.4,
            )  # fmt: skip


def _headings(
    figure: "SubFigure",
    columns: Sequence[str],
    about: Mapping[str, str],
    gain: float,
    limits: tuple[float, float],
    size: tuple[float, float],
) -> None:
    width, height = size
    left = 0.15 / width
    figure.text(left, 1 - 0.3 / height, "Channels", size=16, weight="bold", va="center")
    facts = f"{about['size']} · mask: {about['mask']} · {about['channels']}"
    figure.text(left, 1 - 0.58 / height, facts, size=9, color="#555", va="center")
    titles = {
        "image": "image",
        "mask": f"mask ({about['mask']})",
        "lnp": f"noise pattern × {gain:g}",
        "amplitude": f"amplitude of {about['of'] or 'spectrum'}",
        "phase": "phase",
    }
    for number, name in enumerate(columns):
        middle = _LEFT_IN + number * (_CELL_IN + _GAP_IN) + _CELL_IN / 2
        at = (middle / width, 1 - (_ABOVE_IN - 0.12) / height)
        figure.text(*at, titles[name], size=10.5, ha="center", va="center")
    notes = [f"noise pattern: middle grey + {gain:g} × grey levels"] * (
        "lnp" in columns
    )
    if "amplitude" in columns:
        unit = _UNITS.get(about["amplitude"], "as stored")
        notes.append(
            f"amplitude: {unit}, black {limits[0]:.2f} to white {limits[1]:.2f}"
        )
    if "phase" in columns:
        notes.append("phase: −π to π, cyclic colours")
    at = (_LEFT_IN / width, 0.2 / height)
    figure.text(*at, " · ".join(notes), size=7.5, color="#555", va="center")


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


def _bare(axes: "Axes") -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
