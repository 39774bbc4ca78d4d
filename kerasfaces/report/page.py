"""Sections -> one self-contained HTML file: no script, nothing to download."""

from collections.abc import Sequence
from pathlib import Path

from kerasfaces import __version__
from kerasfaces.core.texts import plain
from kerasfaces.report.chart import COLOURS, SERIES
from kerasfaces.report.markup import Section, prose


def page(
    name: str,
    kind: str,
    warnings: Sequence[str],
    sections: Sequence[tuple[str, Section]],
    footer: str,
) -> str:
    """Return a whole page.

    Args:
        name: The heading.
        kind: What the page is, above the heading.
        warnings: Sentences a reader must see first.
        sections: Each with the name it is linked by.
        footer: What all the numbers have in common.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        name=plain(name),
        kind=kind,
        footer=prose(footer),
        warnings=[prose(text) for text in warnings],
        sections=sections,
        colours=COLOURS,
        series=SERIES,
        version=__version__,
    )


def measured_on(split: str) -> str:
    """Return the last lines of a page of numbers measured on a split."""
    return (
        f"Every number has a 95 % interval and was measured on {split}; thresholds "
        "and calibration come from validation alone. A number holds for images like these: "
        "other generators, cameras, sizes or compression can give quite another."
    )
