"""Ours: the noise pattern beside the pixels, through frozen taps: what it adds, if anything.

Six detectors on the same splits (5:1:1): pixels alone (the default of `train`), the
noise pattern alone, both as features of one head, and the averages of pixels alone with
either of these or with both, in calibrated log-odds. How strongly the noise pattern is
amplified, and which of the six is best, is read off each split's validation rows; an
average chooses nothing: it takes every amplification. With `--also M2` the finished
detectors meet other images, untouched.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.framework import measured
from experiments.framework.channel_stores import UNMASKED, Stores
from experiments.framework.paired import difference_rows
from experiments.framework.rows import NO_WEIGHTS, Row, not_run
from experiments.framework.runner import Context, Outcome
from experiments.lnp_fusion import elsewhere, ensemble
from kerasfaces.core.config import updated
from kerasfaces.evaluate.names import HEADLINES
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig

MODELS = ("mobilenetv2",)
SEEDS = (0, 1, 2, 3, 4)
RATIO = (5, 1, 1)
GOAL = 0.975
GAINS = (5.0, 10.0, 30.0)  # grey levels per grey level of noise
RGB, LNP, HEAD = "rgb", "lnp", "one head"
AVERAGES = {
    "average with lnp": (LNP,),
    "average with one head": (HEAD,),
    "average with both": (LNP, HEAD),
}
KINDS = (RGB, LNP, HEAD, *AVERAGES)
CHOSEN = "chosen on validation"
DOCUMENT_DATA = ""
TITLES = {
    "test": "Test, means over the split seeds",
    "splits": "AUC on each split's test rows",
    "differences": "AUC minus that of pixels alone, paired on the same test rows",
    "validation": "AUC on validation, from which gains and the best are chosen",
    "elsewhere": "AUC on other images, detectors untouched: each generator's against all reals",
}
Folders = dict[str, dict[int, Path]]


def run(context: Context) -> Outcome:
    """Train every configuration on every split; choose on validation; test."""
    reason = context.missing_weights("mobilenetv2")
    if reason:
        rows = not_run("test", (*KINDS, CHOSEN), HEADLINES, NO_WEIGHTS)
        return Outcome(rows=rows, weights={"mobilenetv2": NO_WEIGHTS}, notes=[reason])
    every = _train(context)
    best = {name: _best(every, name) for name in KINDS}
    best[CHOSEN] = _best(every, "")
    rows = [
        _mean(name, metric, folders, "test", "test")
        for name, folders in best.items()
        for metric in HEADLINES
    ]
    for name, folders in best.items():
        rows += measured.split_rows(name, folders)
    for name in (*KINDS[1:], CHOSEN):
        rows += difference_rows(best[name], best[RGB], name)
    rows += [
        _mean(name, "auc", folders, "validation", "val")
        for name, folders in every.items()
    ]
    notes = [_goal_note(rows), _choice_note(every, best[CHOSEN])]
    if context.also is not None:
        rows += elsewhere.rows(context.also, best)
        notes.append("Elsewhere: images a detector was trained on are left out.")
    first = next(iter(best[RGB].values()))
    return Outcome(
        rows=rows,
        weights={"mobilenetv2": DetectorRun(first).base_weights},
        notes=notes,
    )


def configurations(context: Context) -> dict[str, TrainConfig]:
    """Return name -> configuration of what is trained; names begin with their kind."""
    weights = context.weights["mobilenetv2"]
    ours = configs.default("mobilenetv2", weights)
    planned = {RGB: ours}
    for gain in GAINS[1:2] if context.quick else GAINS:
        scaled = updated(ours.model, {"options": {"gain": gain}})
        for name, inputs in ((LNP, ("lnp",)), (HEAD, ("rgb", "lnp"))):
            model = dataclasses.replace(scaled, inputs=inputs)
            augment = dataclasses.replace(ours.augment, flip=False)
            planned[f"{name} x{gain:g}"] = dataclasses.replace(
                ours, model=model, augment=augment
            )
    return planned


def _train(context: Context) -> Folders:
    """Return name -> split seed -> run folder, averages included."""
    planned = configurations(context)
    store = Stores(context, planned[RGB].model.size_px).folder("none", UNMASKED)
    every: Folders = {}
    for name, config in planned.items():
        every[name] = context.train_seeds(
            _slug(name), config, RATIO, store=None if name == RGB else store
        )
    for joint, kinds in AVERAGES.items():
        others = [name for name in planned if name.rpartition(" ")[0] in kinds]
        every[joint] = {
            seed: ensemble.average(
                [every[name][seed] for name in (RGB, *others)],
                context.run_folder(_slug(joint), seed),
                # Pixels weigh as much as all the others together.
                [float(len(others)), *[1.0] * len(others)],
            )
            for seed in context.seeds
        }
    return every


def _best(every: Folders, kind: str) -> dict[int, Path]:
    """Return, per split, the run of a kind with the highest validation AUC."""
    names = [name for name in every if name.startswith(kind)]
    return {
        seed: max(
            (every[name][seed] for name in names),
            key=lambda folder: measured.entry(folder, "auc", "val").value,
        )
        for seed in every[names[0]]
    }


def _choice_note(every: Folders, chosen: Mapping[int, Path]) -> str:
    parts = [
        f"split {seed}: {name}"
        for seed, folder in chosen.items()
        for name, folders in every.items()
        if folders[seed] == folder
    ]
    return f"Chosen on validation: {'; '.join(parts)}."


def _goal_note(rows: list[Row]) -> str:
    means = {
        row.row: float(np.mean([each.value for each in row.ours.values()]))
        for row in rows
        if row.table == "test" and row.metric == "auc"
    }
    n = len(next(iter(rows)).ours)
    word = "reaches" if means[CHOSEN] >= GOAL else "does not reach"
    gain = means[CHOSEN] - means[RGB]
    return (
        f"What validation chose {word} the goal of {GOAL} on test: mean AUC "
        f"{means[CHOSEN]:.4f} over {n} split{'s' if n > 1 else ''}, {gain:+.4f} over pixels "
        "alone."
    )


def _mean(
    name: str, metric: str, folders: Mapping[int, Path], table: str, split: str
) -> Row:
    ours = measured.entries(folders, metric, split)
    return Row(table=table, row=name, metric=metric, split=split, ours=ours)


def _slug(name: str) -> str:
    return name.replace(" ", "_")
