"""The lower half of `sheet`: average spectra per source, and how they differ."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasfaces.channels import averages
from kerasfaces.channels.averages import Average, Plane
from kerasfaces.channels.view import Source, is_reference, real_average

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

COLOURS = {"real": "#1f6f8b", "fake": "#b5482e"}
_WIDEST = 4  # sources side by side
_CELL_IN = 2.9
_BAR_IN = 0.16
_CURVES_IN = 2.3
_LEFT_IN, _RIGHT_IN = 0.95, 0.95
_ABOVE_IN, _BETWEEN_IN, _BELOW_IN = 0.95, 0.55, 0.55
_LEAST_DB = 1.0


class Layout:
    """Where the pictures lie, in inches from the lower left corner.

    Attributes:
        wide: Sources side by side.
        height: Of all.
        total: Width of all; the sheet may make it larger.
    """

    def __init__(self, n_sources: int) -> None:
        """Arrange sources in bands of two rows: averages, differences."""
        self.wide = min(_WIDEST, n_sources)
        self.bands = math.ceil(n_sources / self.wide)
        self.total = _LEFT_IN + self.wide * (_CELL_IN + 0.25) + _BAR_IN + _RIGHT_IN
        rows = 2 * self.bands * (_CELL_IN + _BETWEEN_IN)
        self.height = _ABOVE_IN + rows + 0.3 + _CURVES_IN + _BELOW_IN

    def square(self, row: int, column: int) -> tuple[float, float, float, float]:
        """Return left, bottom, width, height of one spectrum, as shares of the whole."""
        left = _LEFT_IN + column * (_CELL_IN + 0.25)
        top = self.height - _ABOVE_IN - row * (_CELL_IN + _BETWEEN_IN)
        return self._share(left, top - _CELL_IN, _CELL_IN, _CELL_IN)

    def bar(self, row: int) -> tuple[float, float, float, float]:
        """Return the place of a row's colour bar."""
        left = _LEFT_IN + self.wide * (_CELL_IN + 0.25) - 0.05
        top = self.height - _ABOVE_IN - row * (_CELL_IN + _BETWEEN_IN)
        return self._share(left, top - _CELL_IN, _BAR_IN, _CELL_IN)

    def curves(self, number: int) -> tuple[float, float, float, float]:
        """Return the place of the left (0) or right (1) curves."""
        each = (self.total - _LEFT_IN - 0.8 - 0.35) / 2
        return self._share(
            _LEFT_IN + number * (each + 0.8), _BELOW_IN, each, _CURVES_IN
        )

    def _share(
        self, left: float, bottom: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        wide, high = self.total, self.height
        return left / wide, bottom / high, width / wide, height / high


def draw(
    figure: "SubFigure", sources: Sequence[Source], layout: Layout, of: str
) -> None:
    """Draw the averages of sources that have one.

    Args:
        figure: Of `layout.total` by `layout.height` inches.
        sources: With an average, real ones first.
        layout: For as many.
        of: What was transformed.
    """
    reference = real_average(sources)
    _headings(figure, layout, of)
    means = [one.average.mean for one in sources if one.average]
    low = min(float(np.percentile(mean, 0.5)) for mean in means)
    high = max(float(np.percentile(mean, 99.8)) for mean in means)
    gaps = [_gap(one, sources, reference) for one in sources]
    limit = max(
        [
            _LEAST_DB,
            *(float(np.percentile(np.abs(g), 99.8)) for g in gaps if g is not None),
        ]
    )
    for at, (one, mean, gap) in enumerate(zip(sources, means, gaps, strict=True)):
        band, column = divmod(at, layout.wide)
        upper = figure.add_axes(layout.square(2 * band, column))
        n = one.average.n if one.average else 0
        upper.set_title(
            f"{one.name} ({one.label}), n = {n:,}", size=11, color=COLOURS[one.label]
        )
        shown = _image(upper, mean, "magma", low, high, column == 0)
        if column == 0:
            _bar(figure, shown, layout.bar(2 * band), "dB re 1 grey level")
        lower = figure.add_axes(layout.square(2 * band + 1, column))
        if gap is None or reference is None or one.average is None:
            _nothing(lower, "the reference" if reference else "no real images")
            continue
        shown = _image(lower, gap, "RdBu_r", -limit, limit, column == 0)
        found = averages.peaks(gap)
        _circles(lower, found)
        error = averages.difference_error(one.average, reference)
        lower.set_title(
            f"minus real: ± {error:.2f} dB per frequency, {len(found) or 'no'} peaks",
            size=9,
        )
        _bar(figure, shown, layout.bar(2 * band + 1), "dB against real")
    _curves(figure, layout, sources, gaps)


def _headings(figure: "SubFigure", layout: Layout, of: str) -> None:
    high = layout.height
    title = f"Average amplitude spectrum of the {of}"
    left = 0.15 / layout.total
    figure.text(left, 1 - 0.22 / high, title, size=14, weight="bold", va="center")
    caption = (
        "per image |F| / (M N), mean of the colours; mean of dB over the images; below, the "
        "difference from all real images; circles: peaks of 6 sigma"
    )
    figure.text(left, 1 - 0.47 / high, caption, size=8.5, color="#555", va="center")


def _gap(
    one: Source, sources: Sequence[Source], reference: Average | None
) -> Plane | None:
    if reference is None or one.average is None or is_reference(one, sources):
        return None
    return averages.difference(one.average, reference)


def _image(
    axes: "Axes", plane: Plane, colours: str, low: float, high: float, first: bool
) -> Any:
    height, width = plane.shape
    left, top = -(width // 2) - 0.5, -(height // 2) - 0.5
    extent = (left, left + width, top + height, top)
    shown = axes.imshow(plane, cmap=colours, vmin=low, vmax=high, extent=extent)
    axes.tick_params(labelsize=7, labelleft=first)
    if first:
        axes.set_ylabel("vertical, cycles / image", size=8)
    return shown


def _circles(axes: "Axes", found: Sequence[averages.Peak]) -> None:
    for peak in found:
        for sign in (1, -1):
            at = (sign * peak.column, sign * peak.row)
            axes.plot(*at, "o", mfc="none", mec="black", ms=8, clip_on=False)


def _nothing(axes: "Axes", text: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#ccc")
    axes.text(
        0.5, 0.5, text, ha="center", va="center", color="#777", transform=axes.transAxes
    )


def _bar(
    figure: "SubFigure", shown: Any, place: tuple[float, float, float, float], text: str
) -> None:
    bar = figure.colorbar(shown, cax=figure.add_axes(place))
    bar.set_label(text, size=8)
    bar.ax.tick_params(labelsize=7)


def _curves(
    figure: "SubFigure",
    layout: Layout,
    sources: Sequence[Source],
    gaps: Sequence[Plane | None],
) -> None:
    means = figure.add_axes(layout.curves(0))
    differences = figure.add_axes(layout.curves(1))
    for number, (one, gap) in enumerate(zip(sources, gaps, strict=True)):
        if one.average is None:
            continue
        style: dict[str, Any] = {"color": f"C{number}", "lw": 1.5}
        dash = "-" if one.label == "real" else "--"
        name = f"{one.name} ({one.label})"
        means.plot(
            *_from_one(averages.radial(one.average.mean)), ls=dash, label=name, **style
        )
        if gap is not None:
            rings = _from_one(averages.radial(gap))
            differences.plot(*rings, label=name, **style)
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


def _from_one(values: Plane) -> tuple[Plane, Plane]:
    """Return frequencies from 1 on, and their values."""
    return np.arange(1.0, len(values)), values[1:]
