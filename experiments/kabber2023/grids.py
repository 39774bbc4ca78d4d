"""kabber2023's grids, its tables 3 and 4 beside ours, by the studies `tuning/kabber2023_*.py`.

Each seed draws the split (64/16/20) and the heads' initial weights; numbers are of the
validation rows, as the document's presumably are. Of each grid the best point by
validation is trained again and meets its test rows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.framework import measured, tuned
from experiments.framework.rows import NO_WEIGHTS, Measured, Row
from experiments.framework.runner import Context, Outcome
from experiments.kabber2023 import published
from experiments.kabber2023.experiment import MODELS, RATIO
from kerasfaces.run.folder import StudyRun

__all__ = ["DOCUMENT_DATA", "MODELS", "SEEDS", "TITLES", "run"]

SEEDS = (0, 1, 2)
TITLES = {
    "table 3": "MobileNetV2's grid: validation rows, at probability 1/2",
    "table 4": "ResNet50's grid: validation rows, at probability 1/2",
    "winners": "The best point of each grid, chosen on validation, on test",
}
DOCUMENT_DATA = published.DATA
_TABLES = {"mobilenetv2": "table 3", "resnet50": "table 4"}


def run(context: Context) -> Outcome:
    """Search both grids on every split; return one row per published number."""
    rows: list[Row] = []
    weights: dict[str, Any] = {}
    notes: list[str] = []
    for model in MODELS:
        name = f"kabber2023_{model}"
        reason = context.missing_weights(model)
        grid = tuned.load(name).published
        if reason:
            notes.append(reason)
            rows += _not_run(model, grid)
            weights[model] = NO_WEIGHTS
            continue
        folders = {
            seed: tuned.run(context, name, tuned.load(name, seed=seed), RATIO, seed)
            for seed in context.seeds
        }
        cells = _cells(model, grid, folders)
        rows += cells
        rows += _winner(model, folders)
        notes += _agreement(model, cells, folders)
        first = next(iter(folders.values()))
        weights[model] = StudyRun(first).identity["weights"][model]
    order = list(TITLES)
    rows.sort(key=lambda row: order.index(row.table))
    return Outcome(rows=rows, weights=weights, notes=notes)


def _cells(model: str, grid: Any, folders: dict[int, Path]) -> list[Row]:
    ours = {seed: _points(grid, folder) for seed, folder in folders.items()}
    return [
        Row(
            table=_TABLES[model],
            row=_label(point),
            metric=metric,
            split="val",
            ours={seed: points[i][metric] for seed, points in ours.items()},
            published=value,
        )
        for i, point in enumerate(grid.points)
        for metric, value in point.metrics.items()
    ]


def _points(grid: Any, folder: Path) -> list[dict[str, Measured]]:
    """Return what the document prints of every point, of one study."""
    from kerasfaces.metrics import printed_metrics
    from kerasfaces.run import trials as records

    labels = np.load(folder / "val_labels.npy")
    trials = tuned.completed(folder)
    points = []
    for point in grid.points:
        trial = point.find(trials)
        if trial is None:  # it failed: the study's own report says why
            undefined = Measured(value=float("nan"), n=labels.size)
            points.append(dict.fromkeys(printed_metrics.NAMES, undefined))
            continue
        estimates = printed_metrics.measure(labels, records.logits(folder, trial))
        points.append(
            {
                name: Measured.of(each.to_dict(), labels.size)
                for name, each in estimates.items()
            }
        )
    return points


def _winner(model: str, folders: dict[int, Path]) -> list[Row]:
    """Return the winners' test numbers and what the search had promised."""
    numbers: dict[str, dict[int, Measured]] = {}
    for seed, folder in folders.items():
        result = tuned.result(folder)
        auc = measured.entry(folder / result["run"], "auc")
        numbers.setdefault("auc", {})[seed] = auc
        for metric, name in (
            ("accuracy in the search", "search"),
            ("accuracy on test", "test"),
            ("optimism", "optimism"),
        ):
            number = Measured(value=result[name], n=auc.n)
            numbers.setdefault(metric, {})[seed] = number
    return [
        Row(table="winners", row=model, metric=metric, ours=ours)
        for metric, ours in numbers.items()
    ]


def _agreement(model: str, cells: Sequence[Row], folders: dict[int, Path]) -> list[str]:
    """Return sentences on what both grids agree on."""
    from scipy import stats

    accuracy = [row for row in cells if row.metric == "accuracy"]
    ours = [_mean(row) for row in accuracy]
    theirs = [float(row.published or 0.0) for row in accuracy]
    best, document = int(np.argmax(ours)), int(np.argmax(theirs))
    place = 1 + sum(value > ours[document] for value in ours)
    agreement = float(stats.spearmanr(ours, theirs).statistic)
    alike = [tuned.result(folder)["n_like_best"] for folder in folders.values()]
    return [
        f"{model}: best here {accuracy[best].row}; the document's best "
        f"({accuracy[document].row}) is number {place} of {len(ours)} here; rank correlation "
        f"of both accuracy columns {agreement:.2f}.",
        f"{model}: not distinguishable from the best of its own grid on validation: "
        f"{', '.join(map(str, alike))} of {len(ours)} points (by seed).",
    ]


def _mean(row: Row) -> float:
    return float(np.mean([each.value for each in row.ours.values()]))


def _not_run(model: str, grid: Any) -> list[Row]:
    return [
        Row(
            table=_TABLES[model],
            row=_label(point),
            metric=metric,
            split="val",
            published=value,
            status=NO_WEIGHTS,
        )
        for point in grid.points
        for metric, value in point.metrics.items()
    ]


def _label(point: Any) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value:g}" for name, value in point.values.items()
    )
