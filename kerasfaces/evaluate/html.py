"""Sections -> one self-contained HTML file; a measured run -> its page."""

from collections.abc import Sequence
from pathlib import Path

from kerasfaces import __version__, registry
from kerasfaces.evaluate.markup import Section
from kerasfaces.evaluate.report_input import ReportInput
from kerasfaces.texts import plain

_PACKAGE = "kerasfaces.evaluate.sections"


def sections(data: ReportInput) -> list[tuple[str, Section]]:
    """Return every section with its name, in the order of the page."""
    modules = [
        (name, registry.load(_PACKAGE, name)) for name in registry.names(_PACKAGE)
    ]
    ordered = sorted(modules, key=lambda item: (item[1].ORDER, item[0]))
    return [(name, module.report(data)) for name, module in ordered]


def render(data: ReportInput) -> str:
    """Return the page of a run."""
    footer = measured_on(data.headline)
    return page(data.name, "kerasfaces report", data.warnings, sections(data), footer)


def measured_on(split: str) -> str:
    """Return the last lines of a page of numbers measured on a split."""
    return (
        f"Every number has a 95 % interval and was measured on {split}; thresholds "
        "and calibration come from validation alone. A number holds for images like these: "
        "other generators, cameras, sizes or compression can give quite another."
    )


def page(
    name: str,
    kind: str,
    warnings: Sequence[str],
    sections: Sequence[tuple[str, Section]],
    footer: str,
) -> str:
    """Return a whole page: no script, nothing to download.

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
    return environment.get_template("report.html.j2").render(
        name=plain(name),
        kind=kind,
        footer=footer,
        warnings=[plain(text) for text in warnings],
        sections=sections,
        version=__version__,
    )
