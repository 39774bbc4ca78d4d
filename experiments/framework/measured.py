"""A finished run and some generators -> every number of its test rows on these.

Fakes of the generators against all test reals, at the threshold frozen on validation.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.framework.classes import class_report
from experiments.framework.rows import Measured
from kerasfaces.evaluate import metrics_json
from kerasfaces.metrics import NAMES, confusion, measure_slices
from kerasfaces.run.folder import ScoredRun

OF_REAL = {name: f"{name} of real" for name in ("precision", "recall", "f1")}
SUPPORT = "support"  # fakes


def on(
    folder: Path, sources: Sequence[str] | None = None
) -> Mapping[str, Measured] | None:
    """Return metric -> number; None where no test fake is of these generators.

    Besides `metrics.NAMES`: those of `OF_REAL`, with real as the positive class, and how
    many fakes there were.

    Args:
        folder: The run folder.
        sources: Generators; None is all.
    """
    run = ScoredRun.open(folder)
    frame = run.readable("test")
    frame = frame[_wanted(frame, sources)]
    n_fake = int((frame["label"] == "fake").sum())
    if not n_fake:
        return None
    point, settings = run.operating_point, run.metrics
    name = "all" if sources is None else f"source={'+'.join(sorted(sources))}"
    known = settings["metrics"]["test"].get(name)
    if known is None:
        (measured,) = measure_slices(
            metrics_json.rows(frame),
            {name: np.ones(len(frame), dtype=bool)},
            point.thresholds,
            int(settings["resamples"]),
            int(settings["seed"]),
        ).values()
        known = {key: each.to_dict() for key, each in measured.items()}
    outcomes = confusion(frame["label"], frame["score"], point.threshold)
    return {
        **{key: Measured.of(known[key], len(frame)) for key in NAMES},
        **{
            shown: class_report(outcomes, "real", metric)
            for metric, shown in OF_REAL.items()
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
    found: dict[str, dict[int, Measured]] = {}
    for seed, folder in folders.items():
        for metric, number in (on(folder, sources) or {}).items():
            found.setdefault(metric, {})[seed] = number
    return found


def against(folders: Mapping[int, Path], camera: str) -> dict[int, Measured]:
    """Return split seed -> AUC of all test fakes against one source's test reals.

    Args:
        folders: Split seed -> run folder.
        camera: A real source.
    """
    found = {}
    for seed, folder in folders.items():
        slices = ScoredRun(folder).metrics["metrics"]["test"]
        entry = slices.get(f"source={camera}")
        if entry is not None:
            found[seed] = Measured.of(entry["auc"], entry["n"])
    return found


def images(rows: pd.DataFrame, seed: int) -> dict[int, Measured]:
    """Return how many images there are, as a number of a table."""
    return {seed: Measured(value=float(len(rows)), n=len(rows))}


def names(rows: pd.DataFrame, label: str) -> list[str]:
    """Return the sources of a class, sorted."""
    return sorted(set(map(str, rows.loc[rows["label"] == label, "source"])))


def _wanted(frame: pd.DataFrame, sources: Sequence[str] | None) -> "pd.Series[bool]":
    if sources is None:
        return pd.Series(True, index=frame.index)
    return (frame["label"] == "real") | frame["source"].isin(list(sources))
