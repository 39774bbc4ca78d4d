"""Pictures of one result by Matplotlib: axes that the user can restyle and save."""

from typing import TYPE_CHECKING

from kerasfaces.evaluate import metrics_json, plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kerasfaces.api.result import Result


def roc(result: "Result", ax: "Axes | None" = None) -> "Axes":
    """Draw recall against the false-alarm rate, with the frozen threshold's point.

    Args:
        result: An evaluation with both classes.
        ax: Where to draw; new axes if None.
    """
    axes = _axes(result, ax, plots.FALSE_ALARMS, plots.RECALL)
    rows, label = metrics_json.rows(result.predictions), _label(result, "auc", "AUC")
    plots.roc(axes, rows, [(result.point.threshold, "threshold")], label)
    axes.legend(loc="lower right")
    return axes


def precision_recall(result: "Result", ax: "Axes | None" = None) -> "Axes":
    """Draw precision against recall; see `roc` for the arguments."""
    axes = _axes(result, ax, plots.RECALL, "precision")
    rows = metrics_json.rows(result.predictions)
    label = _label(result, "ap", "average precision")
    thresholds = [(result.point.threshold, "threshold")]
    plots.precision_recall(axes, rows, thresholds, label)
    axes.legend(loc="lower left")
    return axes


def scores(result: "Result", ax: "Axes | None" = None) -> "Axes":
    """Draw how many reals and fakes have which score, with threshold and unsure band."""
    axes = _axes(result, ax, plots.SCORE, "images")
    plots.scores(axes, metrics_json.rows(result.predictions), result.point)
    axes.legend()
    return axes


def _axes(result: "Result", ax: "Axes | None", x_label: str, y_label: str) -> "Axes":
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=(5, 4.5), layout="constrained")
    n = result.metrics["all"]["n"]
    title = f"{result.folder.name}, {result.split}, n = {n:,}"
    ax.set(xlabel=x_label, ylabel=y_label, title=title)
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    return ax


def _label(result: "Result", metric: str, name: str) -> str:
    estimate = result[metric]
    return f"{name} {estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
