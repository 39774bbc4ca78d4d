"""tian2023: two baselines, aggregated CNNs and ResNet50 + conv stack, its AUCs beside ours.

The configurations are `kerasfaces/train/presets/tian2023.py`; splits are 5:1:1, one per
seed. Cells are trained in the order of `systems` until `--budget-hours` is spent.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping

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
_row = functools.partial(beside, published.VALUES)


def run(context: Context) -> Outcome:
    """Train what the budget allows; return one row per published number, and ours."""
    epochs = ", ".join(f"{model} {number}" for model, number in EPOCHS.items())
    note = (
        f"Epochs are ours where the document is silent: {epochs}; {MODEL} from "
        f"random weights sees {RANDOM_PX} px."
    )
    if context.quick:
        context = quick.reduced(context)
        note = quick.note(context)
    planned = systems(context)
    attempts = cells.train_all(context, planned, RATIO)
    cells.require_one(attempts.values())
    rows = [
        *_data(context),
        *_results(attempts),
        *_sources(context, attempts),
        *_conclusion(context, planned, attempts),
    ]
    for name in (MODEL, RANDOM, RIVAL, CNN, FROZEN):
        rows += _difference(attempts, name)
    return cells.outcome(context, planned, attempts, rows, [note])


def systems(context: Context) -> dict[str, System]:
    """Return line -> what is trained for it, the most telling first."""

    def preset(model: str) -> TrainConfig:
        config = configs.preset("tian2023", model)
        return quick.small(config) if context.quick else config

    def configured(model: str) -> tuple[str, TrainConfig]:
        epochs = 1 if context.quick else EPOCHS[model]
        config = dataclasses.replace(preset(model), epochs=epochs)
        return f"{model}-{epochs}-epochs", config

    mobilenetv2 = context.weights["mobilenetv2"]
    convstack = context.weights["resnet50_convstack"]
    _, config = configured("resnet50_convstack")
    if not context.quick:
        model = dataclasses.replace(config.model, size_px=RANDOM_PX)
        config = dataclasses.replace(config, model=model)
    label, several = configured("aggregated_cnns")
    two_label, two = configured("two_layer_cnn")
    planned = {
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
        planned[UNSEEN] = System(
            label=f"{label}-{one}", config=several, trained_on=(one,)
        )
    return planned


def _largest(context: Context) -> str:
    """Return the generator with most images; empty where there is no other to test on."""
    rows = context.manifest.rows
    counts = rows.loc[rows["label"] == "fake", "source"].value_counts()
    return str(min(counts[counts == counts.max()].index)) if len(counts) > 1 else ""


def _data(context: Context) -> Iterator[Row]:
    rows, seed = context.manifest.rows, context.seeds[0]
    for label in ("real", "fake"):
        ours = measured.image_count(rows[rows["label"] == label], seed)
        yield _row("data", label, "images", ours)


def _results(attempts: Mapping[str, Attempted]) -> Iterator[Row]:
    lines = {name: each for name, each in attempts.items() if name != UNSEEN}
    for name, each in lines.items():
        yield _test_row("result", name, "auc", each)
    for name, each in lines.items():
        for metric in _HEADLINES if each.folders else ():
            yield _test_row("headlines", name, metric, each)


def _sources(context: Context, attempts: Mapping[str, Attempted]) -> Iterator[Row]:
    """Yield AUC of each generator, and of each camera: is one of them what is seen?"""
    rows = context.manifest.rows
    generators = measured.source_names(rows, "fake")
    cameras = measured.source_names(rows, "real")
    for name, each in attempts.items():
        if name == UNSEEN:
            continue
        for source in generators if len(generators) > 1 else ():
            ours = measured.over_splits(each.folders, (source,))
            if ours:
                yield _row("generators", f"{name}: {source}", "auc", ours["auc"])
        for source in cameras if len(cameras) > 1 else ():
            numbers = measured.against_camera(each.folders, source)
            if numbers:
                yield _row("cameras", f"{name}: {source}", "auc", numbers)


def _conclusion(
    context: Context, planned: Mapping[str, System], attempts: Mapping[str, Attempted]
) -> Iterator[Row]:
    """Yield what the document concludes from, all of it of the aggregated CNNs."""
    name = f"{RIVAL}, as trained"
    yield _test_row("conclusion", name, "accuracy", attempts[RIVAL])
    if UNSEEN not in planned:
        yield _row("conclusion", "on other generators", "auc", {}, NO_GENERATOR)
        return
    (one,) = planned[UNSEEN].trained_on or ("",)
    every = measured.source_names(context.manifest.rows, "fake")
    others = [name for name in every if name != one]
    for row, sources in ((f"{one} > {one}", [one]), (f"{one} > the others", others)):
        ours = measured.over_splits(attempts[UNSEEN].folders, sources)
        for metric in ("auc", "accuracy"):
            numbers = ours.get(metric, {})
            yield _row("conclusion", row, metric, numbers, attempts[UNSEEN].status)


def _difference(attempts: Mapping[str, Attempted], name: str) -> list[Row]:
    first, second = attempts[name].folders, attempts[BASELINE].folders
    shared = {seed: folder for seed, folder in first.items() if seed in second}
    if not shared:
        return []
    rows = difference_rows(shared, second, f"{name} - baseline")
    theirs = published.VALUES.get(("result", name, "auc"))
    if theirs is None:
        return rows
    gain = round(theirs - published.VALUES["result", BASELINE, "auc"], 6)
    return [*rows[:-1], dataclasses.replace(rows[-1], published=gain)]


def _test_row(table: str, name: str, metric: str, each: Attempted) -> Row:
    ours = measured.over_splits(each.folders).get(metric, {})
    return _row(table, name, metric, ours, each.status)
