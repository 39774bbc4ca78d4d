"""The document's grid beside ours, where the study is a document's."""

from kerasfaces.metrics import printed_metrics
from kerasfaces.metrics.main_effects import short
from kerasfaces.report import markup
from kerasfaces.report.markup import Section
from kerasfaces.run import trials as records
from kerasfaces.tune.report import StudyInput
from kerasfaces.tune.study import Point

ORDER = 30


def report(data: StudyInput) -> Section | None:
    """Return one table per printed metric; None where nobody published this grid."""
    grid = data.about.get("published")
    if not grid:
        return None
    source, points = grid["source"], [Point(**each) for each in grid["points"]]
    labels = records.read_labels(data.folder)
    note = markup.paragraph(
        f"{source} was measured on {grid['data']}; ours on {labels.size:,} validation "
        "images of this study's manifest. Other images: the numbers stand side by side to "
        "compare which settings do better, not how well. Ours at probability 1/2, mean over "
        "training seeds, 95 % bootstrap interval over images; its loss is the cross-entropy "
        "without penalties."
    )
    metrics = list(dict.fromkeys(name for one in points for name in one.metrics))
    names = list(points[0].values)
    header = [", ".join(names), "our trial"]
    header += [f"{whose} {name}" for name in metrics for whose in ("document's", "our")]
    rows = []
    for point in points:
        trial, ours = point.find(data.completed), None
        if trial is not None:
            logits = records.logits(data.folder, trial)
            ours = printed_metrics.measure(labels, logits)
        row: list[object] = [", ".join(short(point.values[name]) for name in names)]
        row.append("not run" if trial is None else trial.trial_id)
        for name in metrics:
            printed = point.metrics.get(name)
            row += [
                markup.MISSING if printed is None else f"{printed:g}",
                markup.estimate(ours[name].to_dict()) if ours else markup.MISSING,
            ]
        rows.append(row)
    table = markup.table(f"{source}, and ours", header, rows)
    return Section("The document's grid", note + table)
