"""Finished runs -> cells: each metric's mean over seeds, its interval and its spread."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces.crossgen.plan import Cell
from kerasfaces.crossgen.request import Trained
from kerasfaces.evaluate import metrics_json
from kerasfaces.evaluate.names import HEADLINES
from kerasfaces.metrics import mean_sd, measure_slices
from kerasfaces.run.folder import ScoredRun

INTERVAL = "mean of the seeds' own 95 % intervals"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """A cell and what was measured in it.

    Attributes:
        cell: Which.
        status: `run`, `not run: ...` or `failed: ...`.
        n_real: Test reals, of the seed with the fewest.
        n_fake: Test fakes, of the seed with the fewest.
        metrics: Metric -> value (mean over seeds), sd, low, high, values, method.
    """

    cell: Cell
    status: str
    n_real: int = 0
    n_fake: int = 0
    metrics: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    @property
    def auc(self) -> float:
        """Return the mean AUC; NaN where there is none."""
        value = self.metrics["auc"]["value"] if self.metrics else None
        return math.nan if value is None else float(value)

    @property
    def own(self) -> bool:
        """Whether the cell tests what was trained on."""
        return set(self.cell.test) <= set(self.cell.train)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {
            "table": self.cell.table,
            "train": self.cell.name,
            "trained_on": list(self.cell.train),
            "test": self.cell.tested,
            "tested_on": list(self.cell.test),
            "status": self.status,
            "n_real": self.n_real,
            "n_fake": self.n_fake,
            "metrics": {name: dict(each) for name, each in self.metrics.items()},
        }


def collect(
    cells: Sequence[Cell],
    trained: Sequence[Trained],
    n_tested: Mapping[str, int],
) -> list[Found]:
    """Return every cell of the plan, run or not.

    Args:
        cells: The plan's.
        trained: One per training set.
        n_tested: Generator -> its test images, of the seed with the fewest.
    """
    by_sources = {each.sources: each for each in trained}
    found = []
    for cell in cells:
        one = by_sources[cell.train]
        n_fake = sum(n_tested[name] for name in cell.test)
        if one.status != "run":
            found.append(Found(cell=cell, status=one.status))
        elif not n_fake:
            found.append(Found(cell=cell, status="not run: 0 test images"))
        else:
            parts = [_of_run(folder, cell.test) for folder in one.folders.values()]
            found.append(_over_seeds(cell, parts))
    return found


def worst(found: Sequence[Found]) -> Found | None:
    """Return the cell with the lowest mean AUC; None when nothing was measured."""
    measured = [each for each in found if math.isfinite(each.auc)]
    return min(measured, key=lambda each: each.auc) if measured else None


def _of_run(folder: Path, tested: Sequence[str]) -> Mapping[str, Any]:
    """Return a run's metrics on generators, against all test reals."""
    run = ScoredRun.open(folder)
    if len(tested) == 1:
        return run.measured("test", f"source={tested[0]}")
    settings, frame = run.settings, run.readable("test")
    rows = metrics_json.rows(frame)
    mask = ~rows.fake | frame["source"].isin(tested).to_numpy()
    estimates = measure_slices(
        rows,
        {f"source={'+'.join(tested)}": np.asarray(mask)},
        run.operating_point.thresholds,
        int(settings["resamples"]),
        int(settings["seed"]),
    )
    counts = {
        "n_real": int((mask & ~rows.fake).sum()),
        "n_fake": int((mask & rows.fake).sum()),
    }
    (one,) = estimates.values()
    return counts | {name: each.to_dict() for name, each in one.items()}


def _over_seeds(cell: Cell, parts: Sequence[Mapping[str, Any]]) -> Found:
    return Found(
        cell=cell,
        status="run",
        n_real=min(part["n_real"] for part in parts),
        n_fake=min(part["n_fake"] for part in parts),
        metrics={name: _metric([part[name] for part in parts]) for name in HEADLINES},
    )


def _metric(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean over seeds; what one seed cannot tell is not averaged away."""
    values = [part["value"] for part in parts]
    several = len(parts) > 1
    if any(value is None for value in values):
        why = next(part["method"] for part in parts if part["value"] is None)
        blank = dict.fromkeys(("value", "sd", "low", "high"))
        return {**blank, "values": values, "method": why}
    mean, sd = mean_sd(values)
    return {
        "value": mean,
        "sd": sd if several else None,
        "low": _mean([part["low"] for part in parts]),
        "high": _mean([part["high"] for part in parts]),
        "values": values,
        "method": f"{INTERVAL}: {parts[0]['method']}"
        if several
        else parts[0]["method"],
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean_sd(known)[0] if len(known) == len(values) else None
