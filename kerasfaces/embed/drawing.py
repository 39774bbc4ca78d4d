"""A map as pictures: points, and a grid of thumbnails."""

import io
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from kerasfaces.embed import thumbnails

# As on the page: red and green as the field draws them, and a triangle where a fake is,
# for whoever sees no hue.
FIXED = {
    "fake": ("#c1121f", "^"),
    "real": ("#1b8a4b", "o"),
    "no cluster": ("#9aa3ab", "o"),
}
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#8c6d00",
    "#3f3fbf",
    "#56b4e9",
    "#7f3c00",
    "#b2182b",
    "#4d4d4d",
)
_MARKERS = "osD^"
_LISTED = 20  # classes in a legend
_BORDER_PX = 3


def looks(classes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each class."""
    n = len(COLOURS)
    return {
        name: FIXED.get(name, (COLOURS[at % n], _MARKERS[at // n % len(_MARKERS)]))
        for at, name in enumerate(classes)
    }


def classes_of(values: Sequence[str]) -> list[str]:
    """Return the classes of values, the most frequent first."""
    counts = Counter(map(str, values))
    return sorted(counts, key=lambda name: (-counts[name], name))


def scatter(
    points: NDArray[np.float64], values: Sequence[str], title: str, column: str
) -> bytes:
    """Return a PNG of the map, coloured by a column, with its legend."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((9, 7.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    classes = classes_of(values)
    every = np.array(values, dtype=object).astype(str)
    size = float(np.clip(12_000 / len(points), 4, 40))
    for name, (colour, marker) in looks(classes).items():
        at = every == name
        label = f"{name or '(empty)'} ({int(at.sum()):,})"
        axes.scatter(
            points[at, 0],
            points[at, 1],
            s=size,
            c=colour,
            marker=marker,
            linewidths=0,
            alpha=0.75,
            label=label if classes.index(name) < _LISTED else None,
        )
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=11)
    figure.legend(loc="outside right upper", title=column, markerscale=1.5, fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def grid(
    points: NDArray[np.float64],
    sheet: NDArray[np.uint8],
    drawn: Sequence[int],
    values: Sequence[str],
    cells: int = 24,
) -> bytes:
    """Return a PNG of thumbnails in the map's order: of each cell the one nearest its centre.

    Places are ranks along each axis, so that a far group does not leave the grid empty.
    `drawn` says which points have a thumbnail, in the sheet's order (`thumbnails.sheet`),
    `values` per point the class that the border shows; a fake has a triangle, too.
    """
    side = thumbnails.SIDE_PX
    order = points.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    scaled = order / max(1, len(points) - 1)
    style = looks(classes_of(values))
    whole = Image.new("RGB", (cells * side, cells * side), "white")
    draw = ImageDraw.Draw(whole)
    places = scaled[np.asarray(drawn, np.int64)]
    cell = np.minimum((places * cells).astype(int), cells - 1)
    far = np.square(places * cells - cell - 0.5).sum(axis=1)
    taken: set[tuple[int, int]] = set()
    for at in np.argsort(far, kind="stable"):
        column, row = int(cell[at, 0]), cells - 1 - int(cell[at, 1])
        if (column, row) in taken:
            continue
        taken.add((column, row))
        left, top = column * side, row * side
        whole.paste(Image.fromarray(thumbnails.tile(sheet, int(at))), (left, top))
        colour, marker = style[values[drawn[at]]]
        box = (left, top, left + side - 1, top + side - 1)
        draw.rectangle(box, outline=colour, width=_BORDER_PX)
        if marker == "^":
            right = left + side - 1
            draw.polygon(
                ((right - 12, top), (right, top), (right, top + 12)), fill=colour
            )
    buffer = io.BytesIO()
    whole.save(buffer, "PNG")
    return buffer.getvalue()
