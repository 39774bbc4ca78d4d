"""Could the classes be told apart by their files alone?"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from kerasfaces.evaluate import markup
from kerasfaces.evaluate.markup import Section
from kerasfaces.evaluate.report_input import ReportInput

ORDER = 70


def report(data: ReportInput) -> Section:
    """Return the audit's verdict and its table of facts."""
    title = "Do the files give the classes away?"
    found = data.audit
    if not found:
        return Section(
            title, markup.paragraph("The manifest of this run was not audited.")
        )
    value, low, high = (found.get(key) for key in ("auc", "low", "high"))
    verdict = (
        "Yes: format, size and compression alone tell the classes apart, so the detector may "
        "have learnt those instead of faces."
        if found.get("flagged")
        else "No evidence of it."
    )
    sentence = (
        f"{verdict} A model that sees only facts of the files reaches an AUC of "
        f"{markup.number(value)} (95 %: {markup.interval(low, high)}"
        + (f", n = {found['n']:,}" if isinstance(found.get("n"), int) else "")
        + ")."
    )
    if found.get("most_telling_fact"):
        sentence += f" The most telling fact: {found['most_telling_fact']}."
    return Section(title, markup.paragraph(sentence) + _facts(found))


def _facts(found: Mapping[str, Any]) -> Markup:
    """Return tables of whatever lists of records or mappings of numbers it holds."""
    parts = []
    for key, value in found.items():
        rows = _records(value)
        if rows:
            header = [str(name).replace("_", " ") for name in rows[0]]
            body = [[_cell(cell) for cell in row.values()] for row in rows]
            caption = key.replace("_", " ").capitalize()
            parts.append(markup.table(caption, header, body))
    return markup.details("Fact by fact", *parts) if parts else Markup("")


def _records(value: Any) -> Sequence[Mapping[str, Any]]:
    if isinstance(value, Mapping) and value:
        if all(isinstance(part, Mapping) for part in value.values()):
            return [{"fact": name, **part} for name, part in value.items()]
        return [{"fact": name, "value": part} for name, part in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [part for part in value if isinstance(part, Mapping) and part]
    return []


def _cell(value: Any) -> str:
    return markup.number(value) if isinstance(value, float) else str(value)
