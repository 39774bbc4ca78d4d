"""ROC and precision-recall curves, with the frozen thresholds marked."""

from markupsafe import Markup

from kerasfaces.evaluate import metrics_json, plots
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.metrics import Rows
from kerasfaces.report import chart, markup
from kerasfaces.report.chart import legend
from kerasfaces.report.markup import Section

ORDER = 30


def report(data: ReportInput) -> Section:
    """Return the curves; a sentence where one class is missing."""
    rows = metrics_json.rows(data.frame)
    title = "Every threshold at once"
    if rows.fake.all() or not rows.fake.any():
        return Section(title, markup.paragraph("Curves need real and fake images."))
    point = data.point
    thresholds = [(point.threshold, "threshold"), (point.threshold_fpr_1pct, "1 %")]
    charts = markup.row(
        markup.figure(_roc(rows, thresholds, log=False), "ROC curve"),
        markup.figure(
            _roc(rows, thresholds, log=True), "ROC curve, few false alarms enlarged"
        ),
        markup.figure(_precision_recall(rows, thresholds), "Precision and recall"),
    )
    marked = ("mark", "frozen thresholds, 95 % intervals")
    keys = legend([("fake", "curve"), marked, ("chance", "chance")])
    note = (
        "Read nothing off a curve as a threshold to use: that would be choosing it on "
        f"{data.headline}."
    )
    return Section(title, charts + markup.paragraph(keys) + markup.paragraph(note))


def _roc(rows: Rows, thresholds: list[tuple[float, str]], log: bool) -> Markup:
    n_real = int((~rows.fake).sum())
    axes = plots.roc_axes(10.0 ** -min(4, max(2, len(str(n_real)) - 1)) if log else 0.0)
    plots.roc(axes, rows, thresholds)
    scale = ", log scale" if log else ""
    return chart.svg(axes, f"ROC curve of {rows.fake.size} images{scale}")


def _precision_recall(rows: Rows, thresholds: list[tuple[float, str]]) -> Markup:
    axes = chart.axes((0, 1), (0, 1), x_label=plots.RECALL, y_label="precision")
    plots.precision_recall(axes, rows, thresholds)
    return chart.svg(axes, f"Precision-recall curve of {rows.fake.size} images")
