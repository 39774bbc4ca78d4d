"""A measured run -> its page."""

from kerasfaces.core import registry
from kerasfaces.evaluate.report_input import ReportInput
from kerasfaces.report.markup import Section
from kerasfaces.report.page import measured_on, page

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
