"""mudgal2023: one recipe on all generators together and on each alone, tested on all.

Its DeiT, ViT and DenseNet where their weights are, DeiT-tiny from random ones, and ours
(frozen MobileNetV2); the recipe is `kerasfaces/train/presets/mudgal2023.py`. Splits are
5:1:1, one per seed; generators' shares are equal, as many reals as fakes are trained on.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping

from experiments.framework import cells, measured, quick
from experiments.framework.cells import Attempted, System
from experiments.framework.paired import difference_rows
from experiments.framework.rows import NO_GENERATOR, NO_WEIGHTS, Row, beside
from experiments.framework.runner import Context, Outcome
from experiments.mudgal2023 import published
from experiments.mudgal2023.sets import ALL, SAME, TrainingSets, training_sets
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig

MODELS = ("mobilenetv2", "deit_base_384", "vit_base", "densenet121")
SEEDS = (0,)
RATIO = (5, 1, 1)
DOCUMENT_DATA = published.DATA
TITLES = {
    "data": "How many",
    "result": "Test on all generators: the document's table",
    "ours": "The same of what can be trained here: on all together, on each alone",
    "bias": "AUC on the generator trained on, and on the others",
    "differences": "AUC of training on all minus on one alone, tested on all, paired",
}
# The document's preset stops at 30; a pass of DeiT-tiny costs minutes on two cores.
TINY, TINY_EPOCHS = "deit_tiny_224", 6
OURS = "mobilenetv2"
SHOWN = {OURS: "ours", TINY: "deit_tiny", "deit_base_384": "deit", "vit_base": "ViT"}
SHOWN |= {"densenet121": "DenseNet"}
METRICS = (*published.METRICS, "balanced_accuracy")
Key = tuple[str, str]  # model, training set
_row = functools.partial(beside, published.VALUES)


def run(context: Context) -> Outcome:
    """Train what the budget allows; return one row per published number, and ours."""
    note = (
        f"{TINY} is trained from random weights for {TINY_EPOCHS} epochs, which is not "
        "the document's model."
    )
    if context.quick:
        context = quick.reduced(context)
        note = quick.note(context)
    sets = training_sets(context, RATIO)
    planned = systems(context, sets)
    attempts = cells.train_all(context, planned, RATIO)
    cells.require_one(attempts.values())
    rows = [
        *_data(context),
        *_result(attempts),
        *_ours(attempts),
        *_bias(sets, attempts),
        *_differences(sets, attempts),
    ]
    return cells.outcome(
        context,
        {_line(key): system for key, system in planned.items()},
        {_line(key): each for key, each in attempts.items()},
        rows,
        [note, *sets.notes, *_arithmetic()],
    )


def systems(context: Context, sets: TrainingSets) -> dict[Key, System]:
    """Return (model, training set) -> what is trained, the most telling first."""
    weights = context.weights[OURS]
    configurations: dict[str, tuple[TrainConfig, str]] = {
        OURS: (configs.default(OURS, weights), weights)
    }
    for model in (*MODELS[1:], TINY):
        config = configs.preset("mudgal2023", model)
        text = context.weights.get(model, "none")
        if model == TINY:
            config = dataclasses.replace(config, epochs=TINY_EPOCHS)
        if context.quick and text == "none":
            config = quick.small(config)
        configurations[model] = config, text
    order = (OURS, "deit_base_384", TINY, "vit_base", "densenet121")
    return {
        (model, one.name): System(
            label=f"{model}-on-{one.slug}",
            config=configurations[model][0],
            weights=configurations[model][1],
            trained_on=one.generators,
            size=one.size,
        )
        for model in order
        for one in sets.sets
        # The document prints numbers of DeiT alone.
        if model in (OURS, TINY, "deit_base_384") or one.name == ALL
    }


def _line(key: Key) -> str:
    model, name = key
    return f"{SHOWN[model]}, {name}"


def _data(context: Context) -> Iterator[Row]:
    ours = measured.image_count(context.manifest.rows, context.seeds[0])
    yield _row("data", "real and fake", "images", ours)


def _result(attempts: Mapping[Key, Attempted]) -> Iterator[Row]:
    """Yield the document's two lines, by its own model or not at all."""
    alone = next(
        (each for (model, name), each in attempts.items() if _is_its_own(model, name)),
        None,
    )
    whole = attempts["deit_base_384", ALL]
    if alone is None:
        status = NO_WEIGHTS if whole.status == NO_WEIGHTS else NO_GENERATOR
        alone = Attempted(status=status)
    for line, each in ((published.ALL, whole), (published.ALONE, alone)):
        yield from _test_rows("result", line, each)


def _is_its_own(model: str, name: str) -> bool:
    generator = name.removesuffix(" alone").lower()
    return model == "deit_base_384" and generator == published.GENERATOR


def _ours(attempts: Mapping[Key, Attempted]) -> Iterator[Row]:
    """Yield every detector's numbers; one line says that it has none."""
    for key, each in attempts.items():
        rows = list(_test_rows("ours", _line(key), each))
        if key[0] != "deit_base_384" or each.folders:
            yield from (row for row in rows if row.ours or row.metric == "auc")


def _bias(sets: TrainingSets, attempts: Mapping[Key, Attempted]) -> Iterator[Row]:
    """Yield how a detector of one generator does on it, and on the others."""
    by_name = {one.name: one for one in sets.sets}
    every = by_name[ALL].generators
    for key, each in attempts.items():
        trained_on = by_name[key[1]].generators
        others = [name for name in every if name not in trained_on]
        if not each.folders or not others:
            continue
        for name, tested in (("on it", trained_on), ("on the others", others)):
            ours = measured.over_splits(each.folders, tested)
            if ours:
                yield _row("bias", f"{_line(key)}, {name}", "auc", ours["auc"])


def _differences(
    sets: TrainingSets, attempts: Mapping[Key, Attempted]
) -> Iterator[Row]:
    for (model, name), each in attempts.items():
        if name in (ALL, SAME):
            continue
        for whole in (ALL, SAME):
            first = attempts.get((model, whole), Attempted(status=NO_WEIGHTS)).folders
            both = {seed: path for seed, path in first.items() if seed in each.folders}
            if both:
                title = f"{SHOWN[model]}, {whole} - {name.removesuffix(' alone')}"
                yield from difference_rows(both, each.folders, title)


def _arithmetic() -> Iterator[str]:
    for row, (accuracy, precision, recall, auroc, _) in published.LINES.items():
        implied = published.implied(accuracy, precision, recall)
        yield (
            f"The document's {row}: its numbers fit reals as the positive class, "
            f"{implied.share_of_real:.1%} of the test images, and {implied.fakes_called_fake:.1%} of "
            f"fakes called fake; its AUROC {auroc:g} is the balanced accuracy of these, "
            f"{implied.balanced_accuracy:.4f}."
        )


def _test_rows(table: str, line: str, each: Attempted) -> Iterator[Row]:
    ours = measured.over_splits(each.folders)
    for metric in METRICS:
        yield _row(table, line, metric, ours.get(metric, {}), each.status)
