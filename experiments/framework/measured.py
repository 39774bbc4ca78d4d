"""Finished runs -> numbers of tables, on test rows at the threshold frozen on validation."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.framework.rows import Measured, Row
from kerasfaces.core import rng
from kerasfaces.evaluate import metrics_json
from kerasfaces.metrics import NAMES, Confusion, confusion, measure_slices, rate
from kerasfaces.metrics.bootstrap import RESAMPLES, rate_draws
from kerasfaces.metrics.intervals import percentiles
from kerasfaces.run.folder import ScoredRun

OF_REAL = {name: f"{name} of real" for name in ("precision", "recall", "f1")}
SUPPORT = "support"  # fakes


def entry(folder: Path, metric: str, split: str = "test") -> Measured:
    """Return a metric of all rows of a split, as metrics.json has it."""
    metrics = ScoredRun(folder).measured(split)
    return Measured.of(metrics[metric], metrics["n"])


def entries(
    folders: Mapping[int, Path], metric: str, split: str = "test"
) -> dict[int, Measured]:
    """Return split seed -> metric of all rows of a split."""
    return {seed: entry(folder, metric, split) for seed, folder in folders.items()}


def split_rows(name: str, folders: Mapping[int, Path]) -> list[Row]:
    """Return the test AUC of each split as a line of the table `splits`."""
    return [
        Row(table="splits", row=f"{name}, split {seed}", metric="auc", ours={seed: auc})
        for seed, auc in entries(folders, "auc").items()
    ]


def on_sources(
    folder: Path, sources: Sequence[str] | None = None
) -> Mapping[str, Measured] | None:
    """Return metric -> number, of some generators' test fakes against all test reals.

    Besides `metrics.NAMES`: those of `OF_REAL`, with real as the positive class, and the
    number of fakes. None where no test fake is of these generators.

    Args:
        folder: The run folder.
        sources: Generators; None is all.
    """
    run = ScoredRun.open(folder)
    frame = run.readable("test")
    if sources is not None:
        frame = frame[(frame["label"] == "real") | frame["source"].isin(list(sources))]
    n_fake = int((frame["label"] == "fake").sum())
    if not n_fake:
        return None
    point, settings = run.operating_point, run.metrics
    name = "all" if sources is None else f"source={'+'.join(sorted(sources))}"
    metrics = settings["metrics"]["test"].get(name)
    if metrics is None:
        (measured,) = measure_slices(
            metrics_json.rows(frame),
            {name: np.ones(len(frame), dtype=bool)},
            point.thresholds,
            int(settings["resamples"]),
            int(settings["seed"]),
        ).values()
        metrics = {key: estimate.to_dict() for key, estimate in measured.items()}
    outcomes = confusion(frame["label"], frame["score"], point.threshold)
    return {
        **{key: Measured.of(metrics[key], len(frame)) for key in NAMES},
        **{
            title: class_report(outcomes, "real", metric)
            for metric, title in OF_REAL.items()
        },
        SUPPORT: Measured(value=float(n_fake), n=n_fake),
    }


def over_splits(
    folders: Mapping[int, Path], sources: Sequence[str] | None = None
) -> dict[str, dict[int, Measured]]:
    """Return metric -> split seed -> number; empty without a run or without a fake.

    Args:
        folders: Split seed -> run folder.
        sources: Generators; None is all.
    """
    numbers: dict[str, dict[int, Measured]] = {}
    for seed, folder in folders.items():
        for metric, number in (on_sources(folder, sources) or {}).items():
            numbers.setdefault(metric, {})[seed] = number
    return numbers


def against_camera(folders: Mapping[int, Path], camera: str) -> dict[int, Measured]:
    """Return split seed -> AUC of all test fakes against one source's test reals."""
    aucs = {}
    for seed, folder in folders.items():
        metrics = ScoredRun(folder).metrics["metrics"]["test"].get(f"source={camera}")
        if metrics is not None:
            aucs[seed] = Measured.of(metrics["auc"], metrics["n"])
    return aucs


def image_count(rows: pd.DataFrame, seed: int) -> dict[int, Measured]:
    """Return the number of images, as a number of a table."""
    return {seed: Measured(value=float(len(rows)), n=len(rows))}


def source_names(rows: pd.DataFrame, label: str) -> list[str]:
    """Return the sources of a class, sorted."""
    return sorted(set(map(str, rows.loc[rows["label"] == label, "source"])))


def class_report(c: Confusion, row: str, metric: str) -> Measured:
    """Return a number of class `real`, or the unweighted mean of both classes.

    Ours are of `fake` everywhere; some documents print `real`'s, or both.

    Args:
        c: The outcomes.
        row: `real` or `overall`.
        metric: `precision`, `recall`, `f1` or `support`.
    """
    n = c.n_real if row == "real" else c.n
    if metric == "support":
        return Measured(value=float(n), n=n)
    if (row, metric) == ("real", "recall"):
        return Measured.of(rate(c.passes, n).to_dict(), c.n)
    generator = rng.generator(0, "table 5", row, metric)
    hits = rate_draws(c.hits, c.n_fake, RESAMPLES, generator)
    alarms = rate_draws(c.alarms, c.n_real, RESAMPLES, generator)
    draws = _class_value(hits * c.n_fake, alarms * c.n_real, c, row, metric)
    value = float(_class_value(np.array(c.hits), np.array(c.alarms), c, row, metric))
    if not math.isfinite(value):
        return Measured(value=value, n=c.n)
    low, high = percentiles(draws[np.isfinite(draws)], value)
    return Measured(value=value, low=low, high=high, n=c.n)


def _class_value(hits: Any, alarms: Any, c: Confusion, row: str, metric: str) -> Any:
    misses, passes = c.n_fake - hits, c.n_real - alarms
    with np.errstate(invalid="ignore", divide="ignore"):
        real, fake = {
            "precision": (passes / (passes + misses), hits / (hits + alarms)),
            "recall": (passes / c.n_real, hits / c.n_fake),
            "f1": (
                2 * passes / (2 * passes + misses + alarms),
                2 * hits / (2 * hits + misses + alarms),
            ),
        }[metric]
    return real if row == "real" else (real + fake) / 2
