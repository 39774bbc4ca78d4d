"""The few pieces of HTML that the report's sections are made of, all escaped.

File names come from strangers: everything passes through `markupsafe`, and lone
surrogates, line breaks and other control characters are made visible.
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from kerasfaces.core.texts import plain
from kerasfaces.metrics.intervals import EstimateJson

MISSING = "–"


@dataclasses.dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes:
        title: Its heading.
        html: Its body, safe to insert.
    """

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
    return tag(
        "div",
        tag("div", title, class_="name"),
        tag("div", number(metric["value"]), class_="value"),
        tag("div", limits, class_="limits"),
        tag("div", meaning, class_="meaning"),
        class_="card",
        title=metric["method"],
    )


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """Return an element; content and attribute values are escaped unless Markup."""
    texts = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = Markup("").join(_inner(part) for part in content)
    return Markup("<{}{}>{}</{}>").format(
        Markup(name), Markup(texts), inner, Markup(name)
    )


def paragraph(*content: object, class_: str | None = None) -> Markup:
    """Return a paragraph."""
    return tag("p", *content, class_=class_)


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
    names = [tag("th", name, scope="col") for name in header]
    body = [
        tag(
            "tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])
        )
        for row in rows
    ]
    inner = tag(
        "table",
        tag("caption", tag("span", caption)),
        tag("thead", tag("tr", *names)),
        tag("tbody", *body),
        class_="numbers" if numeric else None,
    )
    return tag(
        "div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption
    )


def figure(image: Markup, caption: object) -> Markup:
    """Return a figure with its caption."""
    return tag("figure", image, tag("figcaption", caption))


def row(*figures: Markup) -> Markup:
    """Return figures side by side where there is room."""
    return tag("div", *figures, class_="figures")


def details(summary: str, *content: object) -> Markup:
    """Return a part that opens on demand."""
    return tag("details", tag("summary", summary), *content)


def _inner(part: object) -> Markup:
    return part if isinstance(part, Markup) else escape(plain(part))
