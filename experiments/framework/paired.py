"""Finished runs on the same test rows: differences of their AUCs and of their accuracies."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.framework.rows import Measured, Row
from kerasfaces.core import rng
from kerasfaces.metrics import (
    Difference,
    TestRows,
    auc_difference,
    from_draws,
    pooled_difference,
)
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.run.folder import ScoredRun


def difference(first: Path, second: Path) -> Measured:
    """Return the AUC of one run minus another's on the test rows both could read."""
    both = _both(first, second)
    auc = auc_difference(both["label_a"], both["logit_a"], both["logit_b"])
    return _measured(auc, len(both))


def difference_rows(
    first: Mapping[int, Path], second: Mapping[int, Path], name: str = ""
) -> list[Row]:
    """Return each split's difference, and the mean with its interval over images.

    Args:
        first: Split seed -> run folder.
        second: The other system's, of the same splits.
        name: Goes in front of "split 0" and "mean".
    """
    single = {seed: difference(folder, second[seed]) for seed, folder in first.items()}
    start = f"{name}, " if name else ""

    def row(line: str, ours: Mapping[int, Measured], whole: Measured | None) -> Row:
        return Row(
            table="differences",
            row=start + line,
            metric="auc difference",
            ours=ours,
            pooled=whole,
        )

    rows = [row(f"split {seed}", {seed: auc}, None) for seed, auc in single.items()]
    whole = pooled(first, second)
    return rows if whole is None else [*rows, row("mean", single, whole)]


def pooled(first: Mapping[int, Path], second: Mapping[int, Path]) -> Measured | None:
    """Return the mean difference over splits; None for a single one."""
    if len(first) < 2:
        return None
    tables = [_both(first[seed], second[seed]) for seed in sorted(first)]
    rows = [
        TestRows(list(both["path"]), both["label_a"], both["logit_a"], both["logit_b"])
        for both in tables
    ]
    n = pd.concat(tables)["path"].nunique()
    return _measured(pooled_difference(rows), n)


def accuracy_difference(first: Path, second: Path) -> Measured:
    """Return one run's test accuracy minus another's, on the rows both could read.

    Each run decides at its own threshold, frozen on its validation rows. The interval is a
    paired bootstrap within each class: every resample draws, for real and for fake, how
    often the first alone, the second alone, both or neither was right.
    """
    both = _right(first).merge(
        _right(second), on=["path", "label"], suffixes=("_a", "_b"), validate="1:1"
    )
    values = both["right_a"].astype(int) - both["right_b"].astype(int)
    draws = np.zeros(RESAMPLES)
    for label in ("real", "fake"):
        part = values[both["label"] == label]
        shares = [float((part == sign).mean()) for sign in (1, -1, 0)]
        generator = rng.generator(0, "accuracy difference", label)
        counts = generator.multinomial(len(part), shares, RESAMPLES)
        draws += counts[:, 0] - counts[:, 1]
    draws /= len(both)
    n = int(both["label"].value_counts().min())
    method = f"paired stratified bootstrap, {RESAMPLES} resamples"
    alike = not values.any()
    return _measured(
        from_draws(draws, float(values.mean()), n, method, alike=alike), len(both)
    )


def _both(first: Path, second: Path) -> pd.DataFrame:
    a, b = (ScoredRun(folder).readable("test") for folder in (first, second))
    return a.merge(b, on="path", suffixes=("_a", "_b"), validate="one_to_one")


def _right(folder: Path) -> pd.DataFrame:
    """Return path, label and whether the test row was called what it is."""
    run = ScoredRun(folder)
    frame, threshold = run.readable("test"), run.operating_point.threshold
    called = np.asarray(frame["score"], np.float64) >= threshold
    right = called == (frame["label"] == "fake").to_numpy()
    return frame[["path", "label"]].assign(right=right)


def _measured(difference: Difference, n: int) -> Measured:
    estimate = difference.estimate
    return Measured(
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=n,
        p_value=difference.p_value,
    )
