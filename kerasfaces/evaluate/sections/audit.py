"""Could the classes be told apart by their files alone?"""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from kerasfaces.evaluate.report_input import ReportInput
from kerasfaces.report import markup
from kerasfaces.report.markup import Section

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
    """Return every fact's own AUC and the most telling one's commonest values."""
    facts, values = found.get("facts") or {}, found.get("values") or {}
    parts = []
    if facts:
        rows = [[name, markup.number(auc)] for name, auc in facts.items()]
        parts.append(markup.table("AUC of each fact alone", ["Fact", "AUC"], rows))
    if values:
        counts = [
            [label, f"{value}: {count:,}"]
            for label, found_values in values.items()
            for value, count in found_values.items()
        ]
        caption = (
            f"Commonest values of {found.get('most_telling_fact')}, with their counts"
        )
        parts.append(markup.table(caption, ["Label", "Value: images"], counts))
    return markup.details("Fact by fact", markup.row(*parts)) if parts else Markup("")
