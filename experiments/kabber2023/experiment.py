"""kabber2023: frozen MobileNetV2 and ResNet50 as in the document, its tables beside ours.

Its split (64/16/20, as 13,291 / 3,322 / 4,210) is drawn anew for every split seed; the
configurations are `kerasfaces/train/presets/kabber2023.py`.
"""

import dataclasses
from typing import Any

from experiments.framework import fresh_fakes
from experiments.framework.rows import NO_LABELS, NO_WEIGHTS, RUN, Row
from experiments.framework.runner import Context, Outcome
from experiments.kabber2023 import attributes, measured, published
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig

MODELS = ("mobilenetv2", "resnet50")
SEEDS = (0, 1, 2, 3, 4)
PARTS = ("grids",)  # grids.py: tables 3 and 4
RATIO = (64, 16, 20)
FRESH = {"mobilenetv2: DALL-E 2 variations": "openai"}  # line -> kind
_WHOLE_BATCH = 32
TITLES = (
    attributes.TITLES
    | published.TITLES
    | {
        "fresh": "AUC on variations that `kerasfaces generate openai` makes of the test photos"
    }
)
DOCUMENT_DATA = published.DATA


def run(context: Context) -> Outcome:
    """Train both models on every split; return one row per published number."""
    rows, notes = attributes.shares(context.manifest, context.seeds[0])
    rows += attributes.annotated(context.manifest.folder, context.seeds[0])
    fresh: list[Row] = []
    weights: dict[str, Any] = {}
    for model in MODELS:
        reason = context.missing_weights(model)
        if reason:
            notes.append(reason)
            rows += _not_run(model)
            weights[model] = NO_WEIGHTS
            continue
        config, note = _configuration(model, context)
        notes += note
        folders = context.train_seeds(model, config, RATIO)
        runs = {seed: measured.Measures(folder) for seed, folder in folders.items()}
        rows += _cells(model, runs) + _groups(model, runs)
        if model == MODELS[0]:
            fresh = fresh_fakes.rows(context, FRESH, folders, RATIO)
        weights[model] = DetectorRun(next(iter(folders.values()))).base_weights
    rows += fresh
    order = list(TITLES)
    rows.sort(key=lambda row: order.index(row.table))
    if any(row.status == NO_LABELS for row in rows):
        notes.append(
            "Where only reals carry a label, a category has a false-alarm rate and no "
            "accuracy."
        )
    return Outcome(rows=rows, weights=weights, notes=notes)


def _configuration(model: str, context: Context) -> tuple[TrainConfig, list[str]]:
    """Return the document's configuration, made to fit where all of it is trained."""
    config = configs.preset("kabber2023", model)
    if context.weights[model] != "none":
        return config, []
    epochs = 1 if context.quick else config.fine_tune_epochs
    config = dataclasses.replace(
        config,
        # What 300 images leave behind in a whole ResNet50 fits few machines.
        batch_size=min(config.batch_size, _WHOLE_BATCH),
        epochs=epochs,
    )
    only = "plumbing only, " if context.quick else ""
    return config, [
        f"{model}: {only}trained from random weights for {epochs} "
        f"epoch{'' if epochs == 1 else 's'}, which is not the document's protocol."
    ]


def _cells(model: str, runs: dict[int, measured.Measures]) -> list[Row]:
    return [
        Row(
            table=cell.table,
            row=cell.row,
            metric=cell.metric,
            ours={seed: measured.cell(run, cell) for seed, run in runs.items()},
            published=cell.value,
        )
        for cell in published.CELLS
        if published.MODELS[cell.table] == model
    ]


def _groups(model: str, runs: dict[int, measured.Measures]) -> list[Row]:
    """Return tables 6 or 9; the splits whose test rows have a group speak for it."""
    table = _group_table(model)
    rows = []
    for group in published.GROUPS:
        numbers = {seed: measured.group(run, group) for seed, run in runs.items()}
        ours = {
            metric: {
                seed: number[1]
                for seed, number in numbers.items()
                if number and number[0] == metric
            }
            for metric in ("accuracy", "false_alarm_rate", "miss_rate")
        }
        accuracy = ours.pop("accuracy")
        rows += [
            Row(table=table, row=group.row, metric=metric, ours=rates)
            for metric, rates in ours.items()
            if rates
        ]
        rows.append(
            Row(
                table=table,
                row=group.row,
                metric="accuracy",
                ours=accuracy,
                published=getattr(group, model),
                status=RUN if accuracy else NO_LABELS,
            )
        )
    return rows


def _not_run(model: str) -> list[Row]:
    table = _group_table(model)
    cells = [cell for cell in published.CELLS if published.MODELS[cell.table] == model]
    cells += [
        published.Cell(table, group.row, "accuracy", getattr(group, model))
        for group in published.GROUPS
    ]
    return [
        Row(
            table=cell.table,
            row=cell.row,
            metric=cell.metric,
            published=cell.value,
            status=NO_WEIGHTS,
        )
        for cell in cells
    ]


def _group_table(model: str) -> str:
    return "table 6" if model == "mobilenetv2" else "table 9"
