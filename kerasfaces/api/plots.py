"""Pictures of one result by Matplotlib: axes that the user can restyle and save."""

from typing import TYPE_CHECKING

import numpy as np

from kerasfaces.evaluate import measure
from kerasfaces.metrics import Rows, confusion, precision_recall_curve, roc_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kerasfaces.api.result import Result

_REAL, _FAKE = "#3b6fb6", "#d1662b"  # as in the report
_BINS = 40


def roc(result: "Result", ax: "Axes | None" = None) -> "Axes":
    """Draw recall against the false-alarm rate, with the frozen threshold's point.

    Args:
        result: An evaluation with both classes.
        ax: Where to draw; new axes if None.
    """
    axes, rows = _axes(ax), measure.rows(result.predictions)
    curve = roc_curve(rows.fake, rows.logit)
    found = result["auc"]
    label = f"AUC {found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
    axes.plot(curve.x, curve.y, color=_FAKE, label=label)
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, linestyle=":")
    alarms, recall = _at_threshold(result, rows)
    axes.plot(alarms, recall, "o", color="0.2", label="frozen threshold")
    axes.set(xlabel="False-alarm rate", ylabel="Fakes found", title=_title(result))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.legend(loc="lower right")
    return axes


def precision_recall(result: "Result", ax: "Axes | None" = None) -> "Axes":
    """Draw precision against recall; see `roc` for the arguments."""
    axes, rows = _axes(ax), measure.rows(result.predictions)
    curve = precision_recall_curve(rows.fake, rows.logit)
    found = result["ap"]
    label = f"average precision {found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
    axes.plot(curve.x, curve.y, color=_FAKE, label=label)
    share = float(np.mean(rows.fake))
    axes.axhline(share, color="0.7", linewidth=0.8, linestyle=":", label="chance")
    axes.set(xlabel="Fakes found (recall)", ylabel="Precision", title=_title(result))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.legend(loc="lower left")
    return axes


def scores(result: "Result", ax: "Axes | None" = None) -> "Axes":
    """Draw how many reals and fakes have which score, with threshold and unsure band."""
    axes, rows = _axes(ax), measure.rows(result.predictions)
    bins = np.linspace(0, 1, _BINS + 1).tolist()
    for name, colour, members in (
        ("real", _REAL, ~rows.fake),
        ("fake", _FAKE, rows.fake),
    ):
        axes.hist(rows.score[members], bins=bins, color=colour, alpha=0.6, label=name)
    low, high = result.point.abstain
    if low < high:
        axes.axvspan(low, high, color="0.85", zorder=0, label="unsure")
    axes.axvline(result.point.threshold, color="0.2", linewidth=1, label="threshold")
    axes.set(xlabel="Score (probability of fake)", ylabel="Images")
    axes.set(title=_title(result), xlim=(0, 1))
    axes.legend()
    return axes


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    from matplotlib import pyplot

    _, axes = pyplot.subplots(figsize=(5, 4.5), layout="constrained")
    return axes


def _title(result: "Result") -> str:
    return f"{result.folder.name}, {result.split}, n = {result.metrics['all']['n']:,}"


def _at_threshold(result: "Result", rows: Rows) -> tuple[float, float]:
    counts = confusion(rows.fake, rows.score, result.point.threshold)
    return counts.alarms / counts.n_real, counts.hits / counts.n_fake
