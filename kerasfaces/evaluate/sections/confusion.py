"""What was called what at the frozen threshold."""

from markupsafe import Markup

from kerasfaces.evaluate import metrics_json
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.metrics import Confusion, confusion, rate
from kerasfaces.report import markup
from kerasfaces.report.markup import Section

ORDER = 20


def report(data: ReportInput) -> Section:
    """Return the confusion matrices at both thresholds."""
    rows, point = metrics_json.rows(data.frame), data.point
    main = confusion(rows.fake, rows.score, point.threshold)
    strict = confusion(rows.fake, rows.score, point.threshold_fpr_1pct)
    low, high = point.abstain
    band = "Validation gave no reason for a band of “unsure” scores."
    if low < high:
        unsure = int(((rows.score >= low) & (rows.score <= high)).sum())
        band = (
            f"Scores from {low:.3f} to {high:.3f} deserve “unsure”: outside that band validation "
            f"made half the errors; {unsure:,} of these {main.n:,} images lie in it."
        )
    tables = markup.row(
        _matrix(f"Threshold {point.threshold:.4f}: {point.rule}", main),
        _matrix(
            f"Threshold {point.threshold_fpr_1pct:.4f}: {point.rule_fpr_1pct}", strict
        ),
    )
    return Section("Right and wrong calls", tables + markup.paragraph(band))


def _matrix(caption: str, c: Confusion) -> Markup:
    rows = [
        [
            label,
            f"{called_real:,}",
            f"{called_fake:,}",
            markup.estimate(rate(wrong, n).to_dict()),
        ]
        for label, called_real, called_fake, wrong, n in (
            ("real", c.passes, c.alarms, c.alarms, c.n_real),
            ("fake", c.misses, c.hits, c.misses, c.n_fake),
        )
    ]
    return markup.table(caption, ["", "called real", "called fake", "wrong"], rows)
