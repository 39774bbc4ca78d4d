"""What metrics are called where people read them."""

from kerasfaces.core.files import Json

HEADLINES = ("auc", "ap", "balanced_accuracy", "tpr_at_fpr_1pct")

TITLES = {
    "auc": "AUC",
    "ap": "Average precision",
    "balanced_accuracy": "Balanced accuracy",
    "tpr_at_fpr_1pct": "TPR at 1 % false alarms",
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "false_alarm_rate": "False-alarm rate",
    "miss_rate": "Miss rate",
    "ece": "Calibration error (ECE)",
    "brier": "Brier score",
}

MEANINGS = {
    "auc": "chance that a fake ranks above a real",
    "ap": "mean precision over all recalls",
    "balanced_accuracy": "mean of the right calls among reals and among fakes",
    "tpr_at_fpr_1pct": "fakes found at the threshold set for 1 % false alarms",
    "accuracy": "right calls",
    "precision": "fakes among what was called fake",
    "recall": "fakes called fake",
    "f1": "harmonic mean of precision and recall",
    "false_alarm_rate": "reals called fake",
    "miss_rate": "fakes called real",
    "ece": "distance of scores from frequencies; 0 is best",
    "brier": "mean squared error of the scores; 0 is best",
}

NOT_SHARED = "not scored by every member"  # an ensemble's images without a score


def unreadable(metrics: Json) -> str:
    """Return why images of a metrics.json have no score, as an adjective."""
    return str(metrics.get("without_score", "unreadable"))


def could_not_be_read(metrics: Json) -> str:
    """Return the same as what images did: `could not be read`, or an ensemble's reason."""
    reason = metrics.get("without_score")
    return f"were {reason}" if reason else "could not be read"


def group_name(column: str) -> str:
    """Return a column as a reader says it: `attr_gender` -> `gender`."""
    return column.removeprefix("attr_").replace("_", " ")
