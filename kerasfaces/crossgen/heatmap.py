"""AUC of every training set on every generator as one picture, drawn by hand in SVG.

Cells below .5 (the detector prefers the fakes) turn orange, those above blue; each
carries its interval. The thick frame marks a detector's own generator, the dashed one
the worst cell.
"""

import dataclasses
import math
from collections.abc import Sequence

from markupsafe import Markup

from kerasfaces.core.texts import plain
from kerasfaces.crossgen.collect import Found
from kerasfaces.report.markup import MISSING, interval, number, tag

_CELL_W, _CELL_H, _TOP, _GAP, _FOOT = 112.0, 58.0, 76.0, 12.0, 44.0
_CHARACTER, _LABEL_MOST = 7.4, 22
_LOW, _MIDDLE, _HIGH = (184, 80, 12), (243, 241, 236), (12, 78, 130)


@dataclasses.dataclass(frozen=True)
class Line:
    """A row of the picture.

    Attributes:
        name: Of the training set.
        cells: One per column; None stays empty.
        apart: Leave a gap above.
        note: What to say in place of cells; the row is then a narrow one.
    """

    name: str
    cells: Sequence[Found | None]
    apart: bool = False
    note: str = ""


def draw(columns: Sequence[str], lines: Sequence[Line], worst: Found | None) -> Markup:
    """Return the picture.

    Args:
        columns: What is tested.
        lines: What is trained on, from the top.
        worst: The cell to mark.
    """
    left = 24 + _CHARACTER * max(min(len(line.name), _LABEL_MOST) for line in lines)
    width = left + _CELL_W * len(columns) + 8
    parts = [_text("tested on", left, 14, "start", "axis"), *_heads(columns, left)]
    marked: list[Markup] = []
    y = _TOP
    for line in lines:
        y += _GAP if line.apart else 0
        height = _CELL_H / 2 if line.note else _CELL_H
        middle = y + height / 2 + 5
        parts.append(_text(_short(line.name), left - 10, middle, "end", "axis"))
        if line.note:
            parts.append(_text(line.note, left + 6, middle, "start"))
        for column, cell in enumerate(line.cells):
            if cell is None:
                continue
            x = left + column * _CELL_W
            parts += _cell(cell, x, y)
            if cell.own and len(cell.cell.train) == 1:
                marked.append(_frame(x, y, 3.0))
            if cell is worst:
                marked.append(_frame(x, y, 3.0, "6 4"))
        y += height
    parts.append(_text("trained on", left - 10, _TOP - 12, "end", "axis"))
    parts += [*marked, *_scale(left, y + 14)]
    height = y + _FOOT + 8
    what = "AUC of each training set on each generator"
    return tag(
        "svg",
        tag("title", what),
        *parts,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        role="img",
        aria_label=what,
        style=f"max-width:{width:.0f}px;min-width:{min(width, 640):.0f}px",
    )


def colour(value: float) -> str:
    """Return the fill of an AUC, `#rrggbb`."""
    end, share = (_HIGH, 2 * value - 1) if value >= 0.5 else (_LOW, 1 - 2 * value)
    share = min(max(share, 0.0), 1.0) ** 1.5  # differences near 1 are what matters
    mixed = [round(m + (e - m) * share) for m, e in zip(_MIDDLE, end, strict=True)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _cell(cell: Found, x: float, y: float) -> list[Markup]:
    middle = x + _CELL_W / 2
    if not math.isfinite(cell.auc):
        title = tag("title", f"{cell.cell.name} on {cell.cell.tested}: {cell.status}")
        shown = cell.status.partition(":")[0] if cell.status != "run" else MISSING
        return [
            tag("g", title, _box(x, y, "none")),
            _text(shown, middle, y + _CELL_H / 2 + 4, "middle"),
        ]
    auc = cell.metrics["auc"]
    fill = colour(cell.auc)
    ink = "#ffffff" if _dark(fill) else "#1c2024"
    sd = "" if auc["sd"] is None else f" ± {number(auc['sd'])}"
    said = (
        f"{cell.cell.name} on {cell.cell.tested}: AUC {number(cell.auc)}{sd}, "
        f"{interval(auc['low'], auc['high'])}, {cell.n_real} real, {cell.n_fake} fake"
    )
    limits = interval(auc["low"], auc["high"]).replace(" to ", "–").replace("0.", ".")
    return [
        tag("g", tag("title", said), _box(x, y, fill)),
        _text(number(cell.auc).replace("0.", "."), middle, y + 26, "middle", ink, 18),
        _text(limits, middle, y + 45, "middle", ink, 12),
    ]


def _box(x: float, y: float, fill: str) -> Markup:
    return tag(
        "rect",
        x=f"{x + 1:.1f}",
        y=f"{y + 1:.1f}",
        width=f"{_CELL_W - 2:.1f}",
        height=f"{_CELL_H - 2:.1f}",
        rx="3",
        style=f"fill:{fill};stroke:var(--rule);print-color-adjust:exact",
    )


def _frame(x: float, y: float, width: float, dashes: str = "") -> Markup:
    inner = 2 + width / 2
    dashed = f";stroke-dasharray:{dashes}" if dashes else ""
    colour_of = "var(--fake)" if dashes else "var(--ink)"
    return tag(
        "rect",
        x=f"{x + (inner + 3 if dashes else inner):.1f}",
        y=f"{y + (inner + 3 if dashes else inner):.1f}",
        width=f"{_CELL_W - 2 * (inner + 3 if dashes else inner):.1f}",
        height=f"{_CELL_H - 2 * (inner + 3 if dashes else inner):.1f}",
        rx="2",
        style=f"fill:none;stroke:{colour_of};stroke-width:{width - bool(dashes)}{dashed}",
    )


def _heads(columns: Sequence[str], left: float) -> list[Markup]:
    found = []
    for index, name in enumerate(columns):
        middle = left + (index + 0.5) * _CELL_W
        lines = _wrapped(name)
        for number_, text in enumerate(lines):
            y = _TOP - 12 - 15 * (len(lines) - 1 - number_)
            found.append(_text(text, middle, y, "middle", "axis"))
    return found


def _scale(left: float, y: float) -> list[Markup]:
    """Return the colours with their values."""
    steps, width = 40, 6.0
    parts = [
        tag(
            "rect",
            x=f"{left + i * width:.1f}",
            y=f"{y:.1f}",
            width=f"{width + 0.4:.1f}",
            height="9",
            style=f"fill:{colour(i / (steps - 1))};print-color-adjust:exact",
        )
        for i in range(steps)
    ]
    ticks = ((0.0, "0", "start"), (0.5, ".5 chance", "middle"), (1.0, "1 AUC", "end"))
    for value, text, anchor in ticks:
        parts.append(_text(text, left + value * steps * width, y + 23, anchor))
    return parts


def _text(
    text: str, x: float, y: float, anchor: str, ink: str = "", size: int = 0
) -> Markup:
    style = f"fill:{ink};font-size:{size}px" if size else None
    if size >= 18:
        style = f"{style};font-weight:600"
    return tag(
        "text",
        text,
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        text_anchor=anchor,
        class_=None if size else (ink or None),
        style=style,
    )


def _short(name: str) -> str:
    shown = plain(name)
    return shown if len(shown) <= _LABEL_MOST else shown[: _LABEL_MOST - 1] + "…"


def _wrapped(name: str) -> list[str]:
    """Break a name at underscores, hyphens, plus signs and spaces into narrow lines."""
    lines = [""]
    for piece in _pieces(plain(name)):
        if lines[-1] and len(lines[-1] + piece) > 14:
            lines.append("")
        lines[-1] += piece
    shown = [line[:13] + "…" if len(line) > 14 else line for line in lines]
    return shown if len(shown) <= 3 else [*shown[:2], "…"]


def _pieces(name: str) -> list[str]:
    pieces = [""]
    for character in name:
        pieces[-1] += character
        if character in "_-+ ":
            pieces.append("")
    return [piece for piece in pieces if piece]


def _dark(fill: str) -> bool:
    red, green, blue = (int(fill[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 150
