"""The document's grid beside ours, where the study is a document's."""

from kerasfaces.metrics import printed_metrics
from kerasfaces.metrics.main_effects import short
from kerasfaces.report import markup
from kerasfaces.report.markup import Section
from kerasfaces.tune import leaderboard, published, records
from kerasfaces.tune.report import StudyInput

ORDER = 30


def report(data: StudyInput) -> Section | None:
    """Return one table per printed metric; None where nobody published this grid."""
    content = data.about.get("published")
    if not content:
        return None
    grid = published.from_json(content)
    labels = leaderboard.read_labels(data.folder)
    note = markup.paragraph(
        f"{grid.source} was measured on {grid.data}; ours on {labels.size:,} validation "
        "images of this study's manifest. Other images: the numbers stand side by side to "
        "compare which settings do better, not how well. Ours at probability 1/2, mean over "
        "training seeds, 95 % bootstrap interval over images; its loss is the cross-entropy "
        "without penalties."
    )
    metrics = list(dict.fromkeys(name for one in grid.points for name in one.metrics))
    names = list(grid.points[0].values)
    header = [", ".join(names), "our trial"]
    for name in metrics:
        header += [f"document's {name}", f"our {name}"]
    rows = []
    for point in grid.points:
        trial = published.find(point, data.completed)
        row: list[object] = [", ".join(short(point.values[name]) for name in names)]
        row.append("not run" if trial is None else trial.trial_id)
        ours = (
            {}
            if trial is None
            else printed_metrics.measure(labels, records.logits(data.folder, trial))
        )
        for name in metrics:
            printed = point.metrics.get(name)
            row += [
                markup.MISSING if printed is None else f"{printed:g}",
                markup.estimate(ours[name].to_dict()) if ours else markup.MISSING,
            ]
        rows.append(row)
    table = markup.table(f"{grid.source}, and ours", header, rows)
    return Section("The document's grid", note + table)
