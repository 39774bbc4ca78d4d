"""A measured run -> one self-contained HTML file: no script, nothing to download."""

from collections.abc import Sequence
from pathlib import Path

from kerasfaces import __version__, registry
from kerasfaces.evaluate import markup
from kerasfaces.evaluate.markup import Section
from kerasfaces.evaluate.report_input import ReportInput

_PACKAGE = "kerasfaces.evaluate.reports"


def sections(data: ReportInput) -> list[tuple[str, Section]]:
    """Return every section with its name, in the order of the page."""
    modules = [
        (name, registry.load(_PACKAGE, name)) for name in registry.names(_PACKAGE)
    ]
    ordered = sorted(modules, key=lambda item: (item[1].ORDER, item[0]))
    return [(name, module.report(data)) for name, module in ordered]


def render(data: ReportInput) -> str:
    """Return a run's page."""
    return page(data.name, data.headline, data.warnings, sections(data))


def page(
    name: str,
    headline: str,
    warnings: Sequence[str],
    parts: Sequence[tuple[str, Section]],
) -> str:
    """Return a page of any sections.

    Args:
        name: Its heading.
        headline: What the numbers were measured on, for the last line.
        warnings: Sentences a reader must see first.
        parts: Identifier and section, in order.
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
        name=markup.plain(name),
        headline=headline,
        warnings=[markup.plain(text) for text in warnings],
        sections=parts,
        version=__version__,
    )
