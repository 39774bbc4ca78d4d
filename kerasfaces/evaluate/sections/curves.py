"""ROC and precision-recall curves, with the frozen thresholds marked."""

from markupsafe import Markup

from kerasfaces.evaluate import measure
from kerasfaces.evaluate.report_input import ReportInput
from kerasfaces.metrics import (
    Rows,
    clopper_pearson,
    confusion,
    precision_recall_curve,
    roc_curve,
)
from kerasfaces.report import markup
from kerasfaces.report.chart import Chart, legend
from kerasfaces.report.markup import Section

ORDER = 30


def report(data: ReportInput) -> Section:
    """Return the curves; a sentence where one class is missing."""
    rows = measure.rows(data.frame)
    title = "Every threshold at once"
    if rows.fake.all() or not rows.fake.any():
        return Section(title, markup.paragraph("Curves need real and fake images."))
    keys = legend(
        [
            ("fake", "curve"),
            ("mark", "frozen thresholds, 95 % intervals"),
            ("chance", "chance"),
        ]
    )
    charts = markup.row(
        markup.figure(_roc(rows, data, log=False), "ROC curve"),
        markup.figure(
            _roc(rows, data, log=True), "ROC curve, few false alarms enlarged"
        ),
        markup.figure(_precision_recall(rows, data), "Precision and recall"),
    )
    note = markup.paragraph(
        "Read nothing off a curve as a threshold to use: that would be choosing it on "
        f"{data.headline}."
    )
    return Section(title, charts + markup.paragraph(keys) + note)


def _roc(rows: Rows, data: ReportInput, log: bool) -> Markup:
    curve = roc_curve(rows.fake, rows.logit)
    n_real = int((~rows.fake).sum())
    first = 10.0 ** -min(4, max(2, len(str(n_real)) - 1)) if log else 0.0
    chart = Chart(
        (first, 1),
        (0, 1),
        x_label="false-alarm rate" + (", logarithmic" if log else ""),
        y_label="fakes found (recall)",
        description=f"ROC curve of {rows.fake.size} images"
        + (", log scale" if log else ""),
        log_x=log,
    )
    grid = [first + (1 - first) * k / 200 for k in range(201)] if not log else None
    diagonal = grid or [first ** (1 - k / 200) for k in range(201)]
    chart.line(diagonal, diagonal, "chance")
    chart.line(curve.x, curve.y, "fake", steps=True)
    marks = (
        (data.point.threshold, "threshold"),
        (data.point.threshold_fpr_1pct, "1 %"),
    )
    for threshold, label in marks:
        c = confusion(rows.fake, rows.score, threshold)
        chart.point(
            c.alarms / c.n_real,
            c.hits / c.n_fake,
            "mark",
            clopper_pearson(c.alarms, c.n_real),
            clopper_pearson(c.hits, c.n_fake),
            label,
        )
    return chart.svg()


def _precision_recall(rows: Rows, data: ReportInput) -> Markup:
    curve = precision_recall_curve(rows.fake, rows.logit)
    share = float(rows.fake.mean())
    chart = Chart(
        (0, 1),
        (0, 1),
        x_label="fakes found (recall)",
        y_label="precision",
        description=f"Precision-recall curve of {rows.fake.size} images",
    )
    chart.line([0, 1], [share, share], "chance").line(curve.x, curve.y, "fake")
    for threshold, label in (
        (data.point.threshold, "threshold"),
        (data.point.threshold_fpr_1pct, "1 %"),
    ):
        c = confusion(rows.fake, rows.score, threshold)
        called = c.hits + c.alarms
        if called:
            chart.point(
                c.hits / c.n_fake,
                c.hits / called,
                "mark",
                clopper_pearson(c.hits, c.n_fake),
                label=label,
            )
    return chart.svg()
