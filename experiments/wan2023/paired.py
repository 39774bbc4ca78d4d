"""Two finished runs on the same test rows: is one more often right than the other?

A paired bootstrap within each class: every resample draws, for real and for fake, how
often the first alone, the second alone, both or neither was right.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.framework.rows import Measured
from kerasfaces.core import rng
from kerasfaces.metrics import from_draws
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.run.folder import ScoredRun


def accuracy_difference(first: Path, second: Path) -> Measured:
    """Return one run's test accuracy minus another's, on the rows both could read.

    Each run decides at its own threshold, frozen on its validation rows.
    """
    both = _right(first).merge(
        _right(second), on=["path", "label"], suffixes=("_a", "_b"), validate="1:1"
    )
    values = both["right_a"].astype(int) - both["right_b"].astype(int)
    value = float(values.mean())
    drawn = np.zeros(RESAMPLES)
    for label in ("real", "fake"):
        part = values[both["label"] == label]
        shares = [float((part == sign).mean()) for sign in (1, -1, 0)]
        generator = rng.generator(0, "accuracy difference", label)
        counts = generator.multinomial(len(part), shares, RESAMPLES)
        drawn += counts[:, 0] - counts[:, 1]
    drawn /= len(both)
    n = int(both["label"].value_counts().min())
    method = f"paired stratified bootstrap, {RESAMPLES} resamples"
    found = from_draws(drawn, value, n, method, alike=not values.any())
    return Measured(
        value=value,
        low=found.estimate.low,
        high=found.estimate.high,
        n=len(both),
        p_value=found.p_value,
    )


def _right(folder: Path) -> pd.DataFrame:
    """Return path, label and whether the test row was called what it is."""
    run = ScoredRun(folder)
    frame, threshold = run.readable("test"), run.operating_point.threshold
    called = np.asarray(frame["score"], np.float64) >= threshold
    right = called == (frame["label"] == "fake").to_numpy()
    return pd.DataFrame(
        {"path": frame["path"], "label": frame["label"], "right": right}
    )
