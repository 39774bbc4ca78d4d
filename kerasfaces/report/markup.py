"""The few pieces of HTML that the report's sections are made of, all escaped.

File names come from strangers: everything passes through `markupsafe`, and lone
surrogates, line breaks and other control characters are made visible.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from kerasfaces.core.texts import plain
from kerasfaces.metrics.intervals import EstimateJson

MISSING = "–"
_CODE = re.compile(r"(?<![\w`])`([^`]+)`(?![\w`])")


class Section(NamedTuple):
    """One part of the page: its heading, and its body, safe to insert."""

    title: str
    html: Markup


def number(value: float | None, digits: int = 3) -> str:
    """Return a rounded number, or a dash for None and NaN."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:.{digits}f}"


def p_text(value: float | None) -> str:
    """Return a p-value as people write it, or a dash for None and NaN."""
    if value is None or not math.isfinite(value):
        return MISSING
    return "< .001" if value < 0.001 else f"{value:.3f}"


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """Return `low to high`, or a dash."""
    if low is None or high is None or not math.isfinite(low + high):
        return MISSING
    return f"{low:.{digits}f} to {high:.{digits}f}"


def estimate(metric: EstimateJson) -> Markup:
    """Return a metric's value with its interval below, its method as a tooltip."""
    value = number(metric["value"])
    if value == MISSING:
        return tag("span", MISSING, title=metric["method"], class_="missing")
    limits = tag("small", interval(metric["low"], metric["high"]))
    return tag("span", value, " ", limits, title=metric["method"], class_="estimate")


def card(title: str, metric: EstimateJson, meaning: str) -> Markup:
    """Return a headline: a metric in large digits, its interval and what it means."""
    limits = interval(metric["low"], metric["high"])
    if metric["value"] is None:
        limits = metric["method"]
    elif limits == MISSING:
        limits = "no interval"
    return text_card(title, number(metric["value"]), meaning, limits, metric["method"])


def text_card(
    name: str, value: str, meaning: str, limits: str = "", method: str | None = None
) -> Markup:
    """Return a box of a value in words; `method` is shown under the pointer."""
    lines = {"name": name, "value": value, "limits": limits, "meaning": meaning}
    parts = [tag("div", text, class_=key) for key, text in lines.items() if text]
    return tag("div", *parts, class_="card", title=method)


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """Return an element; content and attribute values are escaped unless Markup."""
    texts = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(
        part if isinstance(part, Markup) else escape(plain(part)) for part in content
    )
    return Markup(f"<{name}{texts}>{inner}</{name}>")


def prose(part: object) -> Markup:
    """Return a sentence, escaped unless Markup, with what it puts in backticks as code.

    A backtick inside a word, as in a file's name, stays.
    """
    if isinstance(part, Markup):
        return part
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(plain(part)))))


def paragraph(*content: object, class_: str | None = None) -> Markup:
    """Return a paragraph of sentences."""
    return tag("p", *map(prose, content), class_=class_)


def table(
    caption: str,
    header: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    numeric: bool = True,
) -> Markup:
    """Return a table that scrolls sideways on a narrow screen.

    Args:
        caption: What it shows; a table always says so.
        header: One name per column.
        rows: Cells; the first of each row is its heading.
        numeric: Align all but the first column to the right.
    """
    body = [
        tag(
            "tr",
            tag("th", heading, scope="row"),
            *(tag("td", prose(cell)) for cell in cells),
        )
        for heading, *cells in rows
    ]
    inner = tag(
        "table",
        tag("caption", tag("span", prose(caption))),
        tag("thead", tag("tr", *(tag("th", name, scope="col") for name in header))),
        tag("tbody", *body),
        class_="numbers" if numeric else None,
    )
    return tag(
        "div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption
    )


def pairs(title: str, values: Mapping[str, object]) -> Markup:
    """Return a table of keys and values; what is nested has keys such as `model.name`."""
    rows = (map(_breakable, pair) for pair in _flat(values))
    return table(title, ["Key", "Value"], [[*row] for row in rows], numeric=False)


def _breakable(name: str) -> Markup:
    """Return a name that a narrow column breaks after its dots, lines and slashes."""
    return Markup(re.sub(r"(?<!<)([._/])(?=[^\W\d])", r"\1<wbr>", str(prose(name))))


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", ", ".join(map(str, value)) or MISSING
        else:
            yield f"{prefix}{key}", MISSING if value is None else str(value)


def figure(image: Markup, caption: object) -> Markup:
    """Return a figure with its caption."""
    return tag("figure", image, tag("figcaption", prose(caption)))


def row(*figures: Markup) -> Markup:
    """Return figures side by side where there is room."""
    return tag("div", *figures, class_="figures")


def details(summary: str, *content: object) -> Markup:
    """Return a part that opens on demand."""
    return tag("details", tag("summary", summary), *content)
