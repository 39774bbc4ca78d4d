"""Could the classes be told apart by their files alone?"""

from markupsafe import Markup

from kerasfaces.core.files import Json
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import markup
from kerasfaces.report.markup import Section

ORDER = 70


def report(data: ReportInput) -> Section:
    """Return the audit's verdict and its table of facts."""
    title, audit = "Do the files give the classes away?", data.audit
    if not audit:
        return Section(
            title, markup.paragraph("The manifest of this run was not audited.")
        )
    verdict = (
        "Yes: format, size and compression alone tell the classes apart, so the detector may "
        "have learnt those instead of faces."
        if audit.get("flagged")
        else "No evidence of it."
    )
    sentence = (
        f"{verdict} A model that sees only facts of the files reaches an AUC of "
        f"{markup.number(audit.get('auc'))} "
        f"(95 %: {markup.interval(audit.get('low'), audit.get('high'))}"
        + (f", n = {audit['n']:,}" if isinstance(audit.get("n"), int) else "")
        + ")."
    )
    if audit.get("most_telling_fact"):
        sentence += f" The most telling fact: {audit['most_telling_fact']}."
    return Section(title, markup.paragraph(sentence) + _facts(audit))


def _facts(audit: Json) -> Markup:
    """Return every fact's own AUC and the most telling one's commonest values."""
    parts = []
    if facts := audit.get("facts"):
        rows = [[name, markup.number(auc)] for name, auc in facts.items()]
        parts.append(markup.table("AUC of each fact alone", ["Fact", "AUC"], rows))
    if values := audit.get("values"):
        counts = [
            [label, f"{value}: {count:,}"]
            for label, counted in values.items()
            for value, count in counted.items()
        ]
        fact = audit.get("most_telling_fact")
        caption = f"Commonest values of {fact}, with their counts"
        parts.append(markup.table(caption, ["Label", "Value: images"], counts))
    return markup.details("Fact by fact", markup.row(*parts)) if parts else Markup("")
