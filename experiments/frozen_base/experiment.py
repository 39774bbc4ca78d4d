"""Ours: the default frozen-base configuration against kabber2023's MobileNetV2, same splits.

Splits 5:1:1, one run per split seed, training seed 0. Two variants in between show what
carries the difference; which configuration is best is read off validation alone.
"""

import dataclasses
from pathlib import Path

import numpy as np

from experiments.framework import measured
from experiments.framework.paired import difference_rows
from experiments.framework.rows import NO_WEIGHTS, Row, not_run
from experiments.framework.runner import Context, Outcome
from kerasfaces.evaluate.names import HEADLINES
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig

MODELS = ("mobilenetv2",)
SEEDS = (0, 1, 2, 3, 4)
RATIO = (5, 1, 1)
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
        rows = not_run("test", configurations(), HEADLINES, NO_WEIGHTS)
        return Outcome(rows=rows, weights={"mobilenetv2": NO_WEIGHTS}, notes=[reason])
    folders = {
        name: context.train_seeds(
            name.replace("'", "").replace(" ", "_"), config, RATIO
        )
        for name, config in configurations().items()
    }
    rows = [
        _row(name, metric, runs)
        for name, runs in folders.items()
        for metric in HEADLINES
    ]
    for name, runs in folders.items():
        rows += measured.split_rows(name, runs)
    rows += difference_rows(folders["ours"], folders["document's head"])
    validation = [
        Row(
            table="validation",
            row=name,
            metric="auc",
            split="val",
            ours=measured.entries(runs, "auc", "val"),
        )
        for name, runs in folders.items()
    ]
    best = max(
        validation, key=lambda row: np.mean([n.value for n in row.ours.values()])
    )
    first = next(iter(folders["ours"].values()))
    return Outcome(
        rows=[*rows, *validation],
        weights={"mobilenetv2": DetectorRun(first).base_weights},
        notes=[f"Best on validation: {best.row}."],
    )


def _row(name: str, metric: str, folders: dict[int, Path]) -> Row:
    is_document = name == "document's head" and metric == "auc"
    return Row(
        table="test",
        row=name,
        metric=metric,
        ours=measured.entries(folders, metric),
        published=DOCUMENT_AUC if is_document else None,
    )
