"""Labels and scores -> numbers with 95 % intervals. NumPy and SciPy only; draws nothing.

`measure_slices` gives every metric of many slices at once; the functions give one
number each. Positive = fake; thresholds are arguments, frozen elsewhere.
"""

from kerasfaces.metrics.calibration import (
    Platt,
    Reliability,
    brier,
    ece,
    fit_platt,
    reliability,
)
from kerasfaces.metrics.draws import Difference, from_draws
from kerasfaces.metrics.intervals import (
    Estimate,
    clopper_pearson,
    combined,
    holm,
    mean_sd,
    p_value,
    rate,
    wilson,
)
from kerasfaces.metrics.measure import NAMES, Rows, Thresholds, measure, measure_slices
from kerasfaces.metrics.paired import auc_difference, repeated_difference
from kerasfaces.metrics.pooled import TestRows, pooled_difference
from kerasfaces.metrics.ranking import Curve, ap, auc, precision_recall_curve, roc_curve
from kerasfaces.metrics.rates import (
    Confusion,
    accuracy,
    balanced_accuracy,
    confusion,
    f1,
    false_alarm_rate,
    miss_rate,
    precision,
    recall,
    tpr_at_fpr,
)
from kerasfaces.metrics.together import System, differences

__all__ = [
    "NAMES",
    "Confusion",
    "Curve",
    "Difference",
    "Estimate",
    "Platt",
    "Reliability",
    "Rows",
    "System",
    "TestRows",
    "Thresholds",
    "accuracy",
    "ap",
    "auc",
    "auc_difference",
    "balanced_accuracy",
    "brier",
    "clopper_pearson",
    "combined",
    "confusion",
    "differences",
    "ece",
    "f1",
    "false_alarm_rate",
    "fit_platt",
    "from_draws",
    "holm",
    "mean_sd",
    "measure",
    "measure_slices",
    "miss_rate",
    "p_value",
    "pooled_difference",
    "precision",
    "precision_recall_curve",
    "rate",
    "recall",
    "reliability",
    "repeated_difference",
    "roc_curve",
    "tpr_at_fpr",
    "wilson",
]
