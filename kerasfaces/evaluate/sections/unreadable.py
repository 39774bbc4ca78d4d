"""Images without a score, e.g. unreadable ones: listed, never dropped silently."""

from kerasfaces.evaluate import names
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import markup
from kerasfaces.report.markup import Section

ORDER = 65
_LISTED = 50


def report(data: ReportInput) -> Section:
    """Return the counts by split and the first images with their reasons."""
    counts, rows = [], []
    for split, frame in data.predictions.items():
        bad = frame[frame["reason"] != ""].sort_values("path", kind="stable")
        counts.append(f"{len(bad):,} of {len(frame):,} in {split}")
        rows += [[row.path, split, row.label, row.reason] for row in bad.itertuples()]
    kind = names.unreadable(data.metrics)
    if kind == "unreadable":
        kind = "unreadable or too little to judge"
    title = kind[0].upper() + kind[1:]
    body = markup.paragraph(f"{title}: {', '.join(counts)}.")
    if rows:
        caption = f"{min(len(rows), _LISTED)} of {len(rows):,} images {kind}"
        header = ["Path", "Split", "Label", "Reason"]
        body += markup.table(caption, header, rows[:_LISTED], numeric=False)
    return Section("Images without a score", body)
