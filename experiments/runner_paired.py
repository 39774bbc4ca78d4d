"""Finished runs on the same test rows: the difference of their AUCs, on one split or all."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from experiments.runner_rows import Measured
from kerasfaces.evaluate import predictions
from kerasfaces.metrics import Difference, TestRows, auc_difference, pooled_difference


def difference(first: Path, second: Path) -> Measured:
    """Return the AUC of one run minus another's on the test rows both could read."""
    both = _both(first, second)
    found = auc_difference(both["label_a"], both["logit_a"], both["logit_b"])
    return _measured(found, len(both))


def pooled(first: Mapping[int, Path], second: Mapping[int, Path]) -> Measured | None:
    """Return the mean difference over splits; None for a single one.

    Args:
        first: Split seed -> run folder.
        second: The other system's, of the same splits.
    """
    if len(first) < 2:
        return None
    tables = {seed: _both(first[seed], second[seed]) for seed in sorted(first)}
    rows = [
        TestRows(list(both["path"]), both["label_a"], both["logit_a"], both["logit_b"])
        for both in tables.values()
    ]
    n = len(pd.concat(tables.values())["path"].unique())
    return _measured(pooled_difference(rows), n)


def _both(first: Path, second: Path) -> pd.DataFrame:
    a, b = (
        predictions.readable(predictions.read(folder / "predictions_test.csv"))
        for folder in (first, second)
    )
    return a.merge(b, on="path", suffixes=("_a", "_b"), validate="one_to_one")


def _measured(found: Difference, n: int) -> Measured:
    estimate = found.estimate
    return Measured(
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=n,
        p_value=found.p_value,
    )
