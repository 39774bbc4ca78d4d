"""The document's grid beside ours, where the study is a document's."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from kerasfaces.metrics import Estimate
from kerasfaces.report import markup
from kerasfaces.report.markup import Section
from kerasfaces.tune import leaderboard, published, records
from kerasfaces.tune.effects import short
from kerasfaces.tune.report_input import StudyInput

ORDER = 30


def report(data: StudyInput) -> Section | None:
    """Return one table per printed metric; None where nobody published this grid."""
    found = data.published
    if found is None:
        return None
    labels = leaderboard.read_labels(data.folder)
    lines = []
    for point in found.points:
        trial = published.find(point, data.completed)
        ours: Mapping[str, Estimate] = {}
        if trial is not None:
            ours = published.measure(labels, records.logits(data.folder, trial))
        lines.append((point, trial, ours))
    metrics = list(
        dict.fromkeys(name for point in found.points for name in point.metrics)
    )
    note = markup.paragraph(
        f"{found.source} was measured on {found.data}; ours on {labels.size:,} validation "
        "images of this study's manifest. Other images: the numbers stand side by side to "
        "compare which settings do better, not how well. Ours at probability 1/2, mean over "
        "training seeds, 95 % bootstrap interval over images; its loss is the cross-entropy "
        "without penalties."
    )
    names = list(found.points[0].values)
    header = [", ".join(names), "our trial"]
    for name in metrics:
        header += [f"document's {name}", f"our {name}"]
    rows = [
        [
            ", ".join(short(point.values[name]) for name in names),
            "not run" if trial is None else trial.trial_id,
            *_cells(metrics, point.metrics, ours),
        ]
        for point, trial, ours in lines
    ]
    table = markup.table(f"{found.source}, and ours", header, rows)
    return Section("The document's grid", Markup("").join([note, table]))


def _cells(
    names: list[str], theirs: Mapping[str, float], ours: Mapping[str, Any]
) -> list[object]:
    cells: list[object] = []
    for name in names:
        cells.append(f"{theirs[name]:g}" if name in theirs else markup.MISSING)
        one = ours.get(name)
        cells.append(markup.MISSING if one is None else markup.estimate(one.to_dict()))
    return cells
