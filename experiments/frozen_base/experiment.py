"""Ours: the default frozen-base configuration against kabber2023's MobileNetV2, same splits.

Splits 5:1:1, one run per split seed, training seed 0. Two variants in between show what
carries the difference; which configuration is best is read off validation alone.
"""

import dataclasses
from pathlib import Path

import numpy as np

from experiments.framework.paired import difference_rows
from experiments.framework.rows import NO_WEIGHTS, Measured, Row
from experiments.framework.runner import Context, Outcome
from kerasfaces.run.folder import DetectorRun, ScoredRun
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig

MODELS = ("mobilenetv2",)
SEEDS = (0, 1, 2, 3, 4)
RATIO = (5, 1, 1)
HEADLINES = ("auc", "ap", "balanced_accuracy", "tpr_at_fpr_1pct")
DOCUMENT_DATA = "FFHQ + DALL-E 2 variations of it, 180 px: other images than ours"
DOCUMENT_AUC = 0.88
TITLES = {
    "test": "Headline numbers on test, means over the split seeds",
    "splits": "AUC on each split's test rows",
    "differences": "AUC of ours minus the document's head, paired on the same test rows",
    "validation": "AUC on validation, from which the best configuration is chosen",
}


def configurations() -> dict[str, TrainConfig]:
    """Return name -> configuration: ours first, the document's last."""
    ours = configs.default("mobilenetv2")
    last = dataclasses.replace(ours.model, taps=())
    one = dataclasses.replace(ours.model, scales=(1.0,))
    return {
        "ours": ours,
        "ours at one size": dataclasses.replace(ours, model=one),
        "ours on the last layer": dataclasses.replace(ours, model=last),
        "document's head": configs.preset("kabber2023", "mobilenetv2"),
    }


def run(context: Context) -> Outcome:
    """Train every configuration on every split."""
    reason = context.missing_weights("mobilenetv2")
    if reason:
        rows = [
            Row(table="test", row=name, metric=metric, status=NO_WEIGHTS)
            for name in configurations()
            for metric in HEADLINES
        ]
        return Outcome(rows=rows, weights={"mobilenetv2": NO_WEIGHTS}, notes=[reason])
    folders = {
        name: context.train_seeds(_slug(name), config, RATIO)
        for name, config in configurations().items()
    }
    rows = [
        row
        for name, runs_of in folders.items()
        for metric in HEADLINES
        for row in [_mean(name, metric, runs_of, "test", "test")]
    ]
    for name, runs_of in folders.items():
        rows += _splits(name, runs_of)
    rows += difference_rows(folders["ours"], folders["document's head"])
    validation = [
        _mean(name, "auc", runs_of, "validation", "val")
        for name, runs_of in folders.items()
    ]
    best = max(validation, key=_average)
    first = next(iter(folders["ours"].values()))
    return Outcome(
        rows=[*rows, *validation],
        weights={"mobilenetv2": DetectorRun(first).base_weights},
        notes=[f"Best on validation: {best.row}."],
    )


def _mean(
    name: str, metric: str, folders: dict[int, Path], table: str, split: str
) -> Row:
    ours = {seed: _entry(folder, split, metric) for seed, folder in folders.items()}
    document = name == "document's head" and metric == "auc" and split == "test"
    return Row(
        table=table,
        row=name,
        metric=metric,
        split=split,
        ours=ours,
        published=DOCUMENT_AUC if document else None,
    )


def _splits(name: str, folders: dict[int, Path]) -> list[Row]:
    return [
        Row(
            table="splits",
            row=f"{name}, split {seed}",
            metric="auc",
            ours={seed: _entry(folder, "test", "auc")},
        )
        for seed, folder in folders.items()
    ]


def _entry(folder: Path, split: str, metric: str) -> Measured:
    entry = ScoredRun(folder).measured(split)
    return Measured.of(entry[metric], entry["n"])


def _average(row: Row) -> float:
    return float(np.mean([each.value for each in row.ours.values()]))


def _slug(name: str) -> str:
    return name.replace("'", "").replace(" ", "_")
