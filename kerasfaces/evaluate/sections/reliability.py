"""Are the scores probabilities, and how do they spread?"""

import numpy as np
from markupsafe import Markup

from kerasfaces.evaluate import measure
from kerasfaces.evaluate.report_input import ReportInput
from kerasfaces.metrics import Rows, clopper_pearson, reliability
from kerasfaces.report import markup
from kerasfaces.report.chart import Chart, legend
from kerasfaces.report.markup import Section

ORDER = 40
_BINS = 25


def report(data: ReportInput) -> Section:
    """Return the reliability plot and the histogram of scores."""
    rows = measure.rows(data.frame)
    title = "Scores"
    if rows.fake.size == 0:
        return Section(title, markup.paragraph("No readable image has a score."))
    charts = markup.row(
        markup.figure(
            _reliability(rows),
            "Reliability: the share of fakes among images of about the same score, with 95 % "
            "intervals; on the diagonal a score is a probability.",
        ),
        markup.figure(
            _histogram(rows, data),
            Markup("").join(
                [
                    "How many images have which score. ",
                    legend(
                        [
                            ("fake", "fake, upwards"),
                            ("real", "real, downwards"),
                            ("mark", "threshold"),
                        ]
                    ),
                ]
            ),
        ),
    )
    note = (
        "A score is the probability of fake at validation's mix of real and fake "
        f"({data.point.n_real:,} and {data.point.n_fake:,}); among rarer fakes it is too high."
    )
    return Section(title, charts + markup.paragraph(note))


def _reliability(rows: Rows) -> Markup:
    found = reliability(rows.fake, rows.score)
    chart = Chart(
        (0, 1),
        (0, 1),
        x_label="mean score",
        y_label="share of fakes",
        description="Reliability plot: share of fakes against mean score in ten bins",
    )
    chart.line([0, 1], [0, 1], "chance")
    for n, n_fake, score in zip(found.n, found.n_fake, found.mean_score, strict=True):
        if n:
            limits = clopper_pearson(int(n_fake), int(n))
            chart.point(float(score), n_fake / n, "fake", y_limits=limits)
    return chart.svg()


def _histogram(rows: Rows, data: ReportInput) -> Markup:
    edges = np.linspace(0, 1, _BINS + 1)
    fakes, _ = np.histogram(rows.score[rows.fake], edges)
    reals, _ = np.histogram(rows.score[~rows.fake], edges)
    top = float(max(fakes.max(), reals.max(), 1)) * 1.05
    chart = Chart(
        (0, 1),
        (-top, top),
        x_label="score: probability of fake",
        y_label="images",
        description="Histogram of scores, fakes upwards and reals downwards",
        signless_y=True,
    )
    low, high = data.point.abstain
    if low < high:
        chart.area((low, high), (-top, top), "unsure")
    chart.bars(edges, fakes, "fake").bars(edges, -reals, "real")
    at = data.point.threshold
    return chart.line([0, 1], [0, 0], "zero").line([at, at], [-top, top], "mark").svg()
