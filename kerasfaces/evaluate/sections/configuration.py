"""What was run, on what, and with which versions."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

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


def _table(title: str, values: Mapping[str, Any], is_open: bool = False) -> Markup:
    if not values:
        return markup.paragraph(f"{title}: not recorded.")
    inner = markup.table(title, ["Key", "Value"], _flat(values), numeric=False)
    return inner if is_open else markup.details(title, inner)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", ", ".join(map(str, value)) or markup.MISSING
        else:
            yield f"{prefix}{key}", markup.MISSING if value is None else str(value)
