"""What was run, on what, and with which versions."""

from markupsafe import Markup

from kerasfaces.core.files import Json
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import markup
from kerasfaces.report.markup import Section

ORDER = 90


def report(data: ReportInput) -> Section:
    """Return configuration, operating point and environment as tables."""
    parts = [
        _table("Configuration", data.config, is_open=True),
        _table("Operating point, frozen on validation", data.point.to_json()),
        _table("Environment", data.environment),
    ]
    return Section("Configuration and versions", Markup("").join(parts))


def _table(title: str, values: Json, is_open: bool = False) -> Markup:
    if not values:
        return markup.paragraph(f"{title}: not recorded.")
    inner = markup.pairs(title, values)
    return inner if is_open else markup.details(title, inner)
