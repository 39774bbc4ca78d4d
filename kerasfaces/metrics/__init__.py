"""Labels and scores -> numbers with 95 % intervals. NumPy and SciPy only; draws nothing.

`measure_slices` gives every metric of many slices at once. Positive = fake; thresholds are
arguments, frozen elsewhere.
"""

from kerasfaces.metrics.all_metrics import NAMES as NAMES
from kerasfaces.metrics.all_metrics import Confusion as Confusion
from kerasfaces.metrics.all_metrics import Rows as Rows
from kerasfaces.metrics.all_metrics import Thresholds as Thresholds
from kerasfaces.metrics.all_metrics import confusion as confusion
from kerasfaces.metrics.all_metrics import measure as measure
from kerasfaces.metrics.all_metrics import measure_slices as measure_slices
from kerasfaces.metrics.calibration import Platt as Platt
from kerasfaces.metrics.calibration import brier as brier
from kerasfaces.metrics.calibration import ece as ece
from kerasfaces.metrics.calibration import fit_platt as fit_platt
from kerasfaces.metrics.calibration import reliability as reliability
from kerasfaces.metrics.difference_tests import Difference as Difference
from kerasfaces.metrics.difference_tests import auc_difference as auc_difference
from kerasfaces.metrics.difference_tests import from_draws as from_draws
from kerasfaces.metrics.difference_tests import (
    repeated_difference as repeated_difference,
)
from kerasfaces.metrics.intervals import Estimate as Estimate
from kerasfaces.metrics.intervals import clopper_pearson as clopper_pearson
from kerasfaces.metrics.intervals import combined as combined
from kerasfaces.metrics.intervals import holm as holm
from kerasfaces.metrics.intervals import mean_sd as mean_sd
from kerasfaces.metrics.intervals import p_value as p_value
from kerasfaces.metrics.intervals import rate as rate
from kerasfaces.metrics.intervals import wilson as wilson
from kerasfaces.metrics.pooled_difference import TestRows as TestRows
from kerasfaces.metrics.pooled_difference import pooled_difference as pooled_difference
from kerasfaces.metrics.ranking import ap as ap
from kerasfaces.metrics.ranking import auc as auc
from kerasfaces.metrics.ranking import precision_recall_curve as precision_recall_curve
from kerasfaces.metrics.ranking import roc_curve as roc_curve
from kerasfaces.metrics.system_differences import System as System
from kerasfaces.metrics.system_differences import differences as differences
