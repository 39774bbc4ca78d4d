"""tian2023: two baselines, aggregated CNNs and ResNet50 + conv stack, its AUCs beside ours.

The configurations are `kerasfaces/train/presets/tian2023.py`; splits are 5:1:1, one per
seed. Cells are trained in the order of `systems` until `--budget-hours` is spent.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.framework import cells, measured, quick
from experiments.framework.cells import Attempted, System
from experiments.framework.paired import difference_rows
from experiments.framework.rows import NO_GENERATOR, Row, beside
from experiments.framework.runner import Context, Outcome
from experiments.tian2023 import published
from experiments.tian2023.published import BASELINE, MODEL, RIVAL
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig

MODELS = ("mobilenetv2", "resnet50_convstack")
SEEDS = (0,)
RATIO = (5, 1, 1)
DOCUMENT_DATA = published.DATA
TITLES = {
    "data": "How many",
    "result": "Test AUC",
    "headlines": "Test, the other headlines, at the threshold frozen on validation",
    "generators": "AUC of each generator's fakes against all test reals",
    "cameras": "AUC of all test fakes against each source's reals",
    "conclusion": "The aggregated CNNs on generators they have not seen",
    "differences": "AUC minus the baseline's, paired on the same test rows",
}
FROZEN, CNN, UNSEEN = "ours: frozen MobileNetV2", "two-layer CNN", "trained on one"
RANDOM = f"{MODEL}, random"
# The document states no epochs. A pass of the mixed set costs minutes on two cores:
# fewer passes than the preset, and ResNet50 at a smaller size where nothing is known to it.
EPOCHS = {"two_layer_cnn": 8, "aggregated_cnns": 8, "resnet50_convstack": 4}
RANDOM_PX = 96
_HEADLINES = ("ap", "balanced_accuracy", "tpr_at_fpr_1pct")
_QUICK_PAIRS = 112
_row = functools.partial(beside, published.VALUES)


def run(context: Context) -> Outcome:
    """Train what the budget allows; return one row per published number, and ours."""
    notes = [
        f"Epochs are ours where the document is silent: {_told(EPOCHS)}; {MODEL} from "
        f"random weights sees {RANDOM_PX} px."
    ]
    if context.quick:
        context = quick.few(context, _QUICK_PAIRS)
        notes = [quick.note(context)]
    planned = systems(context)
    found = cells.train_all(context, planned, RATIO)
    cells.require_one(list(found.values()))
    rows = [*_data(context), *_result(found), *_headlines(found)]
    rows += [*_generators(context, found), *_conclusion(context, planned, found)]
    for name in (MODEL, RANDOM, RIVAL, CNN, FROZEN):
        rows += _difference(found, name)
    return Outcome(
        rows=rows,
        weights=cells.weights(planned, found),
        notes=[*notes, *cells.told(list(found.values()), context)],
        failed=cells.broken(found),
    )


def systems(context: Context) -> dict[str, System]:
    """Return row -> what is trained for it, the most telling first."""

    def preset(model: str) -> TrainConfig:
        config = configs.preset("tian2023", model)
        return quick.small(config) if context.quick else config

    def ours(model: str) -> tuple[str, TrainConfig]:
        epochs = 1 if context.quick else EPOCHS[model]
        config = dataclasses.replace(preset(model), epochs=epochs)
        return f"{model}-{epochs}-epochs", config

    mobilenetv2 = context.weights["mobilenetv2"]
    convstack = context.weights["resnet50_convstack"]
    _, config = ours("resnet50_convstack")
    if not context.quick:
        model = dataclasses.replace(config.model, size_px=RANDOM_PX)
        config = dataclasses.replace(config, model=model)
    label, several = ours("aggregated_cnns")
    two_label, two = ours("two_layer_cnn")
    found = {
        BASELINE: System(
            label="logistic_regression", config=preset("logistic_regression")
        ),
        FROZEN: System(
            label="mobilenetv2",
            config=configs.default("mobilenetv2", mobilenetv2),
            weights=mobilenetv2,
        ),
        MODEL: System(
            label="resnet50_convstack",
            config=preset("resnet50_convstack"),
            weights="imagenet" if convstack == "none" else convstack,
        ),
        RIVAL: System(label=label, config=several),
        CNN: System(label=two_label, config=two),
        RANDOM: System(label="resnet50_convstack-random", config=config),
    }
    one = _largest(context)
    if one:
        found[UNSEEN] = System(
            label=f"{label}-{one}", config=several, trained_on=(one,)
        )
    return found


def _largest(context: Context) -> str:
    """Return the generator with most images; empty where there is no other to test on."""
    rows = context.manifest.rows
    counts = rows.loc[rows["label"] == "fake", "source"].value_counts()
    return str(min(counts[counts == counts.max()].index)) if len(counts) > 1 else ""


def _data(context: Context) -> Iterator[Row]:
    for label in ("real", "fake"):
        rows = context.manifest.rows
        ours = measured.images(rows[rows["label"] == label], context.seeds[0])
        yield _row("data", label, "images", ours)


def _result(found: Mapping[str, Attempted]) -> Iterator[Row]:
    for name, each in found.items():
        if name != UNSEEN:
            yield _of("result", name, "auc", each)


def _headlines(found: Mapping[str, Attempted]) -> Iterator[Row]:
    for name, each in found.items():
        if each.folders and name != UNSEEN:
            for metric in _HEADLINES:
                yield _of("headlines", name, metric, each)


def _generators(context: Context, found: Mapping[str, Attempted]) -> Iterator[Row]:
    """Yield AUC of each generator, and of each camera: is one of them what is seen?"""
    rows = context.manifest.rows
    generators = measured.names(rows, "fake")
    cameras = measured.names(rows, "real")
    for name, each in found.items():
        if name == UNSEEN:
            continue
        for source in generators if len(generators) > 1 else ():
            ours = measured.over_splits(each.folders, (source,))
            if ours:
                yield _row("generators", f"{name}: {source}", "auc", ours["auc"])
        for source in cameras if len(cameras) > 1 else ():
            numbers = measured.against(each.folders, source)
            if numbers:
                yield _row("cameras", f"{name}: {source}", "auc", numbers)


def _conclusion(
    context: Context, planned: Mapping[str, System], found: Mapping[str, Attempted]
) -> Iterator[Row]:
    """Yield what the document concludes from, all of it of the aggregated CNNs."""
    known = f"{RIVAL}, as trained"
    yield _of("conclusion", known, "accuracy", found[RIVAL])
    if UNSEEN not in planned:
        yield _row("conclusion", "on other generators", "auc", {}, NO_GENERATOR)
        return
    (one,) = planned[UNSEEN].trained_on or ("",)
    every = measured.names(context.manifest.rows, "fake")
    others = [name for name in every if name != one]
    for row, sources in ((f"{one} > {one}", [one]), (f"{one} > the others", others)):
        ours = measured.over_splits(found[UNSEEN].folders, sources)
        for metric in ("auc", "accuracy"):
            numbers = ours.get(metric, {})
            yield _row("conclusion", row, metric, numbers, found[UNSEEN].status)


def _difference(found: Mapping[str, Attempted], name: str) -> list[Row]:
    first, second = found[name].folders, found[BASELINE].folders
    shared = {seed: folder for seed, folder in first.items() if seed in second}
    if not shared:
        return []
    rows = difference_rows(shared, second, f"{name} - baseline")
    theirs = [published.VALUES.get(("result", row, "auc")) for row in (name, BASELINE)]
    if None in theirs:
        return rows
    gain = round(float(theirs[0] or 0) - float(theirs[1] or 0), 6)
    return [*rows[:-1], dataclasses.replace(rows[-1], published=gain)]


def _of(table: str, name: str, metric: str, each: Attempted) -> Row:
    ours = measured.over_splits(each.folders).get(metric, {})
    return _row(table, name, metric, ours, each.status)


def _told(epochs: Mapping[str, Any]) -> str:
    return ", ".join(f"{model} {number}" for model, number in epochs.items())
