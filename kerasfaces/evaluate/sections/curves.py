"""ROC and precision-recall curves, with the frozen thresholds marked."""

from markupsafe import Markup

from kerasfaces.evaluate import measure, plots
from kerasfaces.evaluate.report_input import ReportInput
from kerasfaces.metrics import Rows
from kerasfaces.report import chart, markup
from kerasfaces.report.chart import legend
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


def _thresholds(data: ReportInput) -> list[tuple[float, str]]:
    point = data.point
    return [(point.threshold, "threshold"), (point.threshold_fpr_1pct, "1 %")]


def _roc(rows: Rows, data: ReportInput, log: bool) -> Markup:
    n_real = int((~rows.fake).sum())
    first = 10.0 ** -min(4, max(2, len(str(n_real)) - 1)) if log else 0.0
    axes = chart.axes(
        (first, 1),
        (0, 1),
        x_label=plots.FALSE_ALARMS + (", logarithmic" if log else ""),
        y_label=plots.RECALL,
        log_x=log,
    )
    plots.roc(axes, rows, _thresholds(data))
    scale = ", log scale" if log else ""
    return chart.svg(axes, f"ROC curve of {rows.fake.size} images{scale}")


def _precision_recall(rows: Rows, data: ReportInput) -> Markup:
    axes = chart.axes((0, 1), (0, 1), x_label=plots.RECALL, y_label="precision")
    plots.precision_recall(axes, rows, _thresholds(data))
    return chart.svg(axes, f"Precision-recall curve of {rows.fake.size} images")
