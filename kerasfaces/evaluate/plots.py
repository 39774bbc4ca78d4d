"""Curves and histograms of predictions, on axes of a report or of a user."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerasfaces.core.files import Json
from kerasfaces.core.texts import plain
from kerasfaces.metrics import (
    Rows,
    clopper_pearson,
    confusion,
    precision_recall_curve,
    roc_curve,
)
from kerasfaces.report import chart
from kerasfaces.run.operating_point import OperatingPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FALSE_ALARMS, RECALL = "false-alarm rate", "fakes found (recall)"
SCORE = "score: probability of fake"
GROUP_RATES = {
    "false_alarm_rate": "share of reals called fake",
    "miss_rate": "share of fakes called real",
}
_BINS = 25


def roc_axes(first: float) -> "Axes":
    """Return axes of a report's ROC curve: from 0, or logarithmic from a small rate."""
    return chart.axes(
        (first, 1),
        (0, 1),
        x_label=FALSE_ALARMS + (", logarithmic" if first else ""),
        y_label=RECALL,
        log_x=first > 0,
    )


def diagonal(axes: "Axes") -> None:
    """Draw what chance would give in axes of a ROC curve, logarithmic or not."""
    space = np.geomspace if axes.get_xscale() == "log" else np.linspace
    values = space(*axes.get_xlim(), 200)
    chart.line(axes, values, values, "chance")


def roc(
    axes: "Axes", rows: Rows, thresholds: Sequence[tuple[float, str]], label: str = ""
) -> None:
    """Draw the ROC curve of rows of both classes, `label` its name in a legend.

    Frozen thresholds, each with a name, are points with 95 % intervals.
    """
    curve = roc_curve(rows.fake, rows.logit)
    diagonal(axes)
    chart.line(axes, curve.x, curve.y, "fake", steps=True, label=label)
    for threshold, name in thresholds:
        c = confusion(rows.fake, rows.score, threshold)
        chart.point(
            axes,
            c.alarms / c.n_real,
            c.hits / c.n_fake,
            "mark",
            clopper_pearson(c.alarms, c.n_real),
            clopper_pearson(c.hits, c.n_fake),
            name,
        )


def precision_recall(
    axes: "Axes", rows: Rows, thresholds: Sequence[tuple[float, str]], label: str = ""
) -> None:
    """Draw precision against recall; see `roc` for the arguments."""
    curve = precision_recall_curve(rows.fake, rows.logit)
    share = float(rows.fake.mean())
    chart.line(axes, [0, 1], [share, share], "chance")
    chart.line(axes, curve.x, curve.y, "fake", label=label)
    for threshold, name in thresholds:
        c = confusion(rows.fake, rows.score, threshold)
        if called := c.hits + c.alarms:
            recall = clopper_pearson(c.hits, c.n_fake)
            precision = c.hits / called
            chart.point(axes, c.hits / c.n_fake, precision, "mark", recall, label=name)


def scores(axes: "Axes", rows: Rows, point: OperatingPoint) -> None:
    """Draw how many fakes (upwards) and reals (downwards) have which score.

    The vertical axis is set; threshold and band of unsure scores are the point's.
    """
    edges = np.linspace(0, 1, _BINS + 1)
    fakes, _ = np.histogram(rows.score[rows.fake], edges)
    reals, _ = np.histogram(rows.score[~rows.fake], edges)
    top = 1.05 * max(fakes.max(), reals.max(), 1)
    low, high = point.abstain
    if low < high:
        colour = chart.COLOURS["soft"]
        axes.axvspan(low, high, color=colour, alpha=0.16, linewidth=0, label="unsure")
    for heights, kind in ((fakes, "fake"), (-reals, "real")):
        axes.bar(
            edges[:-1],
            heights,
            np.diff(edges),
            align="edge",
            color=chart.COLOURS[kind],
            edgecolor=chart.COLOURS["page"],
            linewidth=0.6,
            label=f"{kind}, {'upwards' if kind == 'fake' else 'downwards'}",
        )
    chart.line(axes, [0, 1], [0, 0], "zero")
    ends = [-top, top]
    chart.line(axes, [point.threshold] * 2, ends, "mark", label="threshold")
    axes.set_ylim(-top, top)
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")


def group_axes(content: Json, metric: str) -> "Axes":
    """Return axes of a report with each group's rate; see `group_rates`."""
    groups = [each for each in content["groups"].values() if each[metric]["n"]]
    highs = [each[metric]["high"] for each in groups]
    axes = chart.axes(
        (0, min(1.0, 1.1 * max(highs, default=1.0))),
        (0, 1),
        size_px=(420.0, 66 + 30.0 * len(groups)),
        margins_px=(150.0, 16.0, 8.0, 46.0),
    )
    group_rates(axes, content, metric)
    return axes


def group_rates(axes: "Axes", content: Json, metric: str) -> None:
    """Draw each group's rate with its 95 % interval, one line each, and that of all.

    A second, thinner interval allows for wrong labels where the annotator's errors are known.
    """
    groups = {
        value: each for value, each in content["groups"].items() if each[metric]["n"]
    }
    last = max(len(groups) - 1, 0)
    axes.set_ylim(last + 0.6, -0.6)
    names = [
        f"{chart.shortened(plain(value))} ({each[metric]['n']:,})"
        for value, each in groups.items()
    ]
    axes.set_yticks(range(len(groups)), names)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)  # a class with dollars is no formula
    axes.set_xlabel(GROUP_RATES[metric])
    wrong, n = (
        sum(each[metric][key] for each in groups.values()) for key in ("wrong", "n")
    )
    if n:
        chart.line(axes, [wrong / n] * 2, axes.get_ylim(), "chance", label="all groups")
    if any(metric in each.get("corrected", {}) for each in groups.values()):
        ink, page = chart.COLOURS["ink"], chart.COLOURS["page"]
        name = "wrong labels allowed for"
        axes.plot([], [], "o-", color=ink, markerfacecolor=page, label=name)
    for row, each in enumerate(groups.values()):
        rate = each[metric]
        kind = "real" if metric == "false_alarm_rate" else "fake"
        chart.point(axes, rate["value"], row, kind, (rate["low"], rate["high"]))
        corrected = each.get("corrected", {}).get(metric)
        if corrected:
            limits = corrected["low"], corrected["high"]
            chart.point(
                axes, corrected["value"], row + 0.28, "mark open", limits, radius_px=3
            )
