"""Are the scores probabilities, and how do they spread?"""

from markupsafe import Markup

from kerasfaces.evaluate import metrics_json, plots
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.metrics import Rows, clopper_pearson, reliability
from kerasfaces.report import chart, markup
from kerasfaces.report.chart import legend
from kerasfaces.report.markup import Section

ORDER = 40


def report(data: ReportInput) -> Section:
    """Return the reliability plot and the histogram of scores."""
    rows = metrics_json.rows(data.frame)
    title = "Scores"
    if rows.fake.size == 0:
        return Section(title, markup.paragraph("No readable image has a score."))
    kinds = [("fake", "fake, upwards"), ("real", "real, downwards")]
    keys = legend([*kinds, ("mark", "threshold")])
    charts = markup.row(
        markup.figure(
            _reliability(rows),
            "Reliability: the share of fakes among images of about the same score, with 95 % "
            "intervals; on the diagonal a score is a probability.",
        ),
        markup.figure(
            _histogram(rows, data), "How many images have which score. " + keys
        ),
    )
    note = (
        "A score is the probability of fake at validation's mix of real and fake "
        f"({data.point.n_real:,} and {data.point.n_fake:,}); among rarer fakes it is too high."
    )
    return Section(title, charts + markup.paragraph(note))


def _reliability(rows: Rows) -> Markup:
    bins = reliability(rows.fake, rows.score)
    axes = chart.axes((0, 1), (0, 1), x_label="mean score", y_label="share of fakes")
    plots.diagonal(axes)
    for n, n_fake, score in zip(*bins, strict=True):
        if n:
            limits = clopper_pearson(int(n_fake), int(n))
            chart.point(axes, float(score), n_fake / n, "fake", y_limits=limits)
    description = "Reliability plot: share of fakes against mean score in ten bins"
    return chart.svg(axes, description)


def _histogram(rows: Rows, data: ReportInput) -> Markup:
    axes = chart.axes((0, 1), (-1, 1), x_label=plots.SCORE, y_label="images")
    plots.scores(axes, rows, data.point)
    return chart.svg(axes, "Histogram of scores, fakes upwards and reals downwards")
