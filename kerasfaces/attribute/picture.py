"""A confusion matrix as inline SVG that follows the page's colours."""

from markupsafe import Markup

from kerasfaces.attribute.measure import Matrix
from kerasfaces.report.markup import tag

_CELL, _LEFT, _TOP, _ROW = 78.0, 176.0, 128.0, 46.0
_NAME = 22  # characters that fit


def confusion(matrix: Matrix, description: str) -> Markup:
    """Return the picture: rows are true, columns what was called, darker is more.

    Args:
        matrix: What was called what.
        description: The picture in a sentence.
    """
    width = _LEFT + _CELL * len(matrix.called) + 64
    height = _TOP + _ROW * len(matrix.true) + 12
    parts = [tag("text", "called", x=_LEFT, y=16, class_="axis")]
    for column, name in enumerate(matrix.called):
        x, y = _LEFT + _CELL * (column + 0.5), _TOP - 10
        turned = f"translate({x:.0f} {y:.0f}) rotate(-32)"
        parts.append(tag("text", _short(name), transform=turned))
    parts.append(tag("text", "images", x=width - 56, y=_TOP - 10))
    for row, name in enumerate(matrix.true):
        y = _TOP + _ROW * row
        n = int(matrix.counts[row].sum())
        middle = f"{y + _ROW / 2 + 4:.1f}"
        parts.append(
            tag("text", _short(name), x=_LEFT - 12, y=middle, text_anchor="end")
        )
        parts.append(tag("text", f"{n:,}", x=width - 56, y=middle))
        for column, called in enumerate(matrix.called):
            count = int(matrix.counts[row, column])
            parts += _cell(_LEFT + _CELL * column, y, count, n, called == name)
    return tag(
        "svg",
        tag("title", description),
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=description,
    )


def _cell(x: float, y: float, count: int, n: int, is_right: bool) -> list[Markup]:
    share = count / n if n else 0.0
    colour = "var(--real)" if is_right else "var(--fake)"
    box = tag(
        "rect",
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        width=f"{_CELL:g}",
        height=f"{_ROW:g}",
        style=f"fill: {colour}; fill-opacity: {0.04 + 0.76 * share:.3f}",
        class_="cell",
    )
    text = tag(
        "text",
        f"{count:,} ({100 * share:.0f} %)",
        x=f"{x + _CELL / 2:.1f}",
        y=f"{y + _ROW / 2 + 4:.1f}",
        text_anchor="middle",
        class_="count",
    )
    return [box, text] if count else [box]


def _short(name: str) -> str:
    return name if len(name) <= _NAME else name[: _NAME - 1] + "…"
