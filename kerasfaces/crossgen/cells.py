"""Finished runs -> cells: each metric's mean over seeds, its interval and its spread."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kerasfaces.core.files import Json
from kerasfaces.crossgen.plan import Cell
from kerasfaces.evaluate import metrics_json
from kerasfaces.evaluate.names import HEADLINES
from kerasfaces.metrics import mean_sd, measure_slices
from kerasfaces.run.folder import ScoredRun

INTERVAL = "mean of the seeds' own 95 % intervals"


@dataclasses.dataclass(frozen=True)
class TrainedSet:
    """A training set's runs, or why there are none."""

    sources: tuple[str, ...]  # generators trained on
    status: str  # `run`, `not run: ...` or `failed: ...`
    # Seed -> finished run folder.
    folders: Mapping[int, Path] = dataclasses.field(default_factory=dict)
    # Seed -> split -> source -> images drawn.
    taken: Mapping[int, Mapping[str, Mapping[str, int]]] = dataclasses.field(
        default_factory=dict
    )


@dataclasses.dataclass(frozen=True)
class CellResult:
    """A cell and its numbers."""

    cell: Cell
    status: str  # `run`, `not run: ...` or `failed: ...`
    n_real: int = 0  # test reals, of the seed with the fewest
    n_fake: int = 0  # test fakes, of the seed with the fewest
    # Metric -> value (mean over seeds), sd, low, high, values, method.
    metrics: Mapping[str, Json] = dataclasses.field(default_factory=dict)

    @property
    def auc(self) -> float:
        """The mean AUC; NaN where there is none."""
        value = self.metrics["auc"]["value"] if self.metrics else None
        return math.nan if value is None else float(value)

    @property
    def own(self) -> bool:
        """Whether the cell tests what was trained on."""
        return set(self.cell.test) <= set(self.cell.train)

    def to_dict(self) -> Json:
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


def measure_cells(
    cells: Sequence[Cell], trained: Sequence[TrainedSet], n_tested: Mapping[str, int]
) -> list[CellResult]:
    """Return every cell of the plan, run or not.

    `n_tested`: generator -> its test images, of the seed with the fewest.
    """
    by_sources = {each.sources: each for each in trained}
    results = []
    for cell in cells:
        one = by_sources[cell.train]
        if one.status != "run":
            results.append(CellResult(cell, one.status))
        elif not any(n_tested[name] for name in cell.test):
            results.append(CellResult(cell, "not run: 0 test images"))
        else:
            parts = [_of_run(folder, cell.test) for folder in one.folders.values()]
            metrics = {
                name: _metric([each[name] for each in parts]) for name in HEADLINES
            }
            n_real, n_fake = (
                min(each[name] for each in parts) for name in ("n_real", "n_fake")
            )
            results.append(CellResult(cell, "run", n_real, n_fake, metrics))
    return results


def worst(results: Sequence[CellResult]) -> CellResult | None:
    """Return the cell with the lowest mean AUC; None when nothing was measured."""
    measured = [each for each in results if math.isfinite(each.auc)]
    return min(measured, key=lambda each: each.auc, default=None)


def _of_run(folder: Path, tested: Sequence[str]) -> Json:
    """Return a run's metrics on generators, against all test reals."""
    run = ScoredRun.open(folder)
    if len(tested) == 1:
        return run.measured("test", f"source={tested[0]}")
    settings, frame = run.settings, run.readable("test")
    rows = metrics_json.rows(frame)
    mask = np.asarray(~rows.fake | frame["source"].isin(tested).to_numpy())
    estimates = measure_slices(
        rows,
        {f"source={'+'.join(tested)}": mask},  # the name keys the resamples
        run.operating_point.thresholds,
        int(settings["resamples"]),
        int(settings["seed"]),
    )
    (one,) = estimates.values()
    return {
        "n_real": int((mask & ~rows.fake).sum()),
        "n_fake": int((mask & rows.fake).sum()),
        **{name: each.to_dict() for name, each in one.items()},
    }


def _metric(parts: Sequence[Json]) -> Json:
    """Return the mean over seeds; what one seed cannot tell is not averaged away."""
    values = [part["value"] for part in parts]
    method = parts[0]["method"]
    if any(value is None for value in values):
        why = next(part["method"] for part in parts if part["value"] is None)
        blank = dict.fromkeys(("value", "sd", "low", "high"))
        return {**blank, "values": values, "method": why}
    several = len(parts) > 1
    mean, sd = mean_sd(values)
    low, high = (
        None if None in limits else mean_sd(limits)[0]
        for limits in ([part[name] for part in parts] for name in ("low", "high"))
    )
    return {
        "value": mean,
        "sd": sd if several else None,
        "low": low,
        "high": high,
        "values": values,
        "method": f"{INTERVAL}: {method}" if several else method,
    }
