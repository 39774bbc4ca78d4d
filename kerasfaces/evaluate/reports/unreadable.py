"""Images that could not be read: counted and listed, never dropped silently."""

from markupsafe import Markup

from kerasfaces.evaluate import markup
from kerasfaces.evaluate.markup import Section
from kerasfaces.evaluate.report_input import ReportInput

ORDER = 65
_LISTED = 50


def report(data: ReportInput) -> Section:
    """Return the counts by split and the first images with their reasons."""
    counts, rows = [], []
    for split, frame in data.predictions.items():
        bad = frame[frame["reason"] != ""].sort_values("path", kind="stable")
        counts.append(f"{len(bad):,} of {len(frame):,} in {split}")
        rows += [[row.path, split, row.label, row.reason] for row in bad.itertuples()]
    body = markup.paragraph("Unreadable: " + ", ".join(counts) + ".")
    if rows:
        caption = f"{min(len(rows), _LISTED)} of {len(rows):,} unreadable images"
        header = ["Path", "Split", "Label", "Reason"]
        body += markup.table(caption, header, rows[:_LISTED], numeric=False)
    return Section("Unreadable images", Markup(body))
