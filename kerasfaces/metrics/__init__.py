"""Labels and scores -> numbers with 95 % intervals. NumPy and SciPy only; draws nothing.

`measure_slices` gives every metric of many slices at once. Positive = fake; thresholds are
arguments, frozen elsewhere.
"""

from kerasfaces.metrics.all_metrics import (
    NAMES,
    Confusion,
    Rows,
    Thresholds,
    confusion,
    measure,
    measure_slices,
)
from kerasfaces.metrics.calibration import Platt, brier, ece, fit_platt, reliability
from kerasfaces.metrics.difference_tests import (
    Difference,
    auc_difference,
    from_draws,
    repeated_difference,
)
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
from kerasfaces.metrics.pooled_difference import TestRows, pooled_difference
from kerasfaces.metrics.ranking import ap, auc, precision_recall_curve, roc_curve
from kerasfaces.metrics.system_differences import System, differences

__all__ = [
    "NAMES",
    "Confusion",
    "Difference",
    "Estimate",
    "Platt",
    "Rows",
    "System",
    "TestRows",
    "Thresholds",
    "ap",
    "auc",
    "auc_difference",
    "brier",
    "clopper_pearson",
    "combined",
    "confusion",
    "differences",
    "ece",
    "fit_platt",
    "from_draws",
    "holm",
    "mean_sd",
    "measure",
    "measure_slices",
    "p_value",
    "pooled_difference",
    "precision_recall_curve",
    "rate",
    "reliability",
    "repeated_difference",
    "roc_curve",
    "wilson",
]
