"""What was called what at the frozen threshold."""

from markupsafe import Markup

from kerasfaces.evaluate import measure
from kerasfaces.evaluate.report_input import ReportInput
from kerasfaces.metrics import Confusion, confusion, rate
from kerasfaces.report import markup
from kerasfaces.report.markup import Section, tag

ORDER = 20


def report(data: ReportInput) -> Section:
    """Return the confusion matrices at both thresholds."""
    rows, point = measure.rows(data.frame), data.point
    main = confusion(rows.fake, rows.score, point.threshold)
    strict = confusion(rows.fake, rows.score, point.threshold_fpr_1pct)
    low, high = point.abstain
    unsure = (
        int(((rows.score >= low) & (rows.score <= high)).sum()) if low < high else 0
    )
    band = (
        f"Scores from {low:.3f} to {high:.3f} deserve “unsure”: outside that band validation "
        f"made half the errors; {unsure:,} of these {main.n:,} images lie in it."
        if low < high
        else "Validation gave no reason for a band of “unsure” scores."
    )
    tables = tag(
        "div",
        _matrix(f"Threshold {point.threshold:.4f}: {point.rule}", main),
        _matrix(
            f"Threshold {point.threshold_fpr_1pct:.4f}: {point.rule_fpr_1pct}", strict
        ),
        class_="figures",
    )
    return Section("Right and wrong calls", tables + markup.paragraph(band))


def _matrix(caption: str, c: Confusion) -> Markup:
    header = ["", "called real", "called fake", "wrong"]
    return markup.table(
        caption,
        header,
        [
            ["real", _count(c.passes), _count(c.alarms), _wrong(c.alarms, c.n_real)],
            ["fake", _count(c.misses), _count(c.hits), _wrong(c.misses, c.n_fake)],
        ],
    )


def _count(count: int) -> str:
    return f"{count:,}"


def _wrong(count: int, n: int) -> Markup:
    return markup.estimate(rate(count, n).to_dict())
