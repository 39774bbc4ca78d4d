"""Finished runs on the same test rows: the difference of their AUCs, on one split or all."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from experiments.framework.rows import Measured, Row
from kerasfaces.metrics import Difference, TestRows, auc_difference, pooled_difference
from kerasfaces.run.folder import ScoredRun


def difference(first: Path, second: Path) -> Measured:
    """Return the AUC of one run minus another's on the test rows both could read."""
    both = _both(first, second)
    found = auc_difference(both["label_a"], both["logit_a"], both["logit_b"])
    return _measured(found, len(both))


def difference_rows(
    first: Mapping[int, Path], second: Mapping[int, Path], name: str = ""
) -> list[Row]:
    """Return each split's difference, and the mean with its interval over images.

    Args:
        first: Split seed -> run folder.
        second: The other system's, of the same splits.
        name: Goes in front of "split 0" and "mean".
    """
    found = {seed: difference(folder, second[seed]) for seed, folder in first.items()}
    start = f"{name}, " if name else ""

    def row(what: str, ours: Mapping[int, Measured], whole: Measured | None) -> Row:
        return Row(
            table="differences",
            row=start + what,
            metric="auc difference",
            ours=ours,
            pooled=whole,
        )

    rows = [row(f"split {seed}", {seed: each}, None) for seed, each in found.items()]
    whole = pooled(first, second)
    return rows if whole is None else [*rows, row("mean", found, whole)]


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
    a, b = (ScoredRun(folder).readable("test") for folder in (first, second))
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
