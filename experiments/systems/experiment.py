"""Every detector of the toolkit on one split: quality beside what it costs, on one page.

Split 5:1:1, one run per detector and split seed, each trained as its document says; all are
tested on the same images. `index.html` has the table and the pictures.
"""

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.framework import failures, measured, quick
from experiments.framework.cells import attempt
from experiments.framework.channel_stores import OTHER_MASK, Stores, mask
from experiments.framework.paired import difference, pooled
from experiments.framework.rows import (
    NO_BUDGET,
    NO_WEIGHTS,
    RUN,
    Measured,
    Row,
    not_run,
)
from experiments.framework.runner import Context, Outcome
from experiments.systems import cost as costs
from experiments.systems import detectors, page
from experiments.wan2023 import cells
from kerasfaces.evaluate.names import HEADLINES
from kerasfaces.metrics import holm
from kerasfaces.run.folder import DetectorRun

MODELS = (*detectors.PRETRAINED, cells.CHANNEL_MODEL)
WEIGHTS = {cells.CHANNEL_MODEL: "none"}
SEEDS = (0,)
DOCUMENT_DATA = ""
REFERENCE = "mobilenetv2 (kabber2023)"
TITLES = {
    page.QUALITY: "Headline numbers, on the same images for every detector",
    page.DIFFERENCES: f"AUC minus that of {REFERENCE}, same images; p corrected (Holm)",
    page.COST: "What each costs",
    page.RANDOM: "Detectors without weights, built small and random: loss of one step",
}
Folders = dict[int, Path]
_QUICK_PAIRS = 48


def run(context: Context) -> Outcome:
    """Train what the budget allows, measure what it costs."""
    notes: list[str] = []
    if context.quick:
        context = quick.reduced(context, _QUICK_PAIRS)
        notes.append(
            f"--quick: {len(context.manifest)} images; what is trained from random weights "
            "is made small and sees them once."
        )
    runs, status = _train(context)
    rows = [*_quality(runs, status), *_differences(runs)]
    cost_rows, cost_notes = _costs(context, runs)
    rows += cost_rows
    notes += cost_notes
    if context.quick:
        rows += _random(context, status)
        notes += _passed(rows)
    notes += [*_left_out(status), *_unseen(rows)]
    return Outcome(rows=rows, weights=_weights(runs, status), notes=notes)


def finish(folder: Path, results: Mapping[str, Any]) -> Path:
    """Write the page of this experiment alone, `folder/index.html`."""
    return page.write(folder, results)


def _train(context: Context) -> tuple[dict[str, Folders], dict[str, str]]:
    """Return title -> split seed -> run folder of what ran, title -> status of the rest."""
    mask_name = context.mask or (OTHER_MASK if context.quick else mask())
    stores = Stores(context, cells.QUICK_PX if context.quick else cells.SIZE_PX)
    runs: dict[str, Folders] = {}
    status: dict[str, str] = {}
    planned = []
    for each in detectors.detectors():
        if each.needs_weights and (
            context.weights[each.model] == "none" or context.missing_weights(each.model)
        ):
            status[each.title] = NO_WEIGHTS
        else:
            planned.append(each)
    context.train_ahead(
        functools.partial(detectors.request, each, context, stores, mask_name, seed)
        for each in planned
        for seed in context.seeds
    )
    for each in planned:
        attempted = attempt(
            context,
            each.label,
            functools.partial(detectors.train, each, context, stores, mask_name),
            lambda _: True,  # each training asks for its own time
        )
        if attempted.ended:  # some of the splits are no mean of all
            status[each.title] = attempted.ended
        else:
            runs[each.title] = dict(attempted.folders)
    return runs, status


def _quality(runs: dict[str, Folders], status: dict[str, str]) -> Iterator[Row]:
    for each in detectors.detectors():
        if each.title in status:
            yield from not_run(
                page.QUALITY, (each.title,), ("auc",), status[each.title]
            )
            continue
        for metric in HEADLINES:
            ours = measured.entries(runs[each.title], metric)
            yield Row(table=page.QUALITY, row=each.title, metric=metric, ours=ours)


def _differences(runs: dict[str, Folders]) -> list[Row]:
    """Return every detector's AUC minus the reference's, paired."""
    reference = runs.get(REFERENCE)
    if reference is None:
        return []
    others = {title: each for title, each in runs.items() if title != REFERENCE}
    single = {
        title: {s: difference(folder, reference[s]) for s, folder in each.items()}
        for title, each in others.items()
    }
    whole = {
        title: pooled(each, reference) or next(iter(single[title].values()))
        for title, each in others.items()
    }
    corrected = holm([each.p_value for each in whole.values()])
    return [
        Row(
            table=page.DIFFERENCES,
            row=title,
            metric="auc difference",
            ours=single[title],
            pooled=dataclasses.replace(whole[title], p_value=float(p)),
        )
        for title, p in zip(whole, corrected, strict=True)
    ]


def _costs(context: Context, runs: dict[str, Folders]) -> tuple[list[Row], list[str]]:
    """Return the rows of what was run, and sentences on how that was measured."""
    test = context.split(detectors.RATIO, context.seeds[0])
    is_test = test.rows["split"] == "test"
    files = [path for path, use in zip(test.files(), is_test, strict=True) if use]
    reference = next(iter(runs.get(REFERENCE, {}).values()), None)
    meter = costs.Costs(context, files, reference)
    rows: list[Row] = []
    notes: list[str] = []
    costs_of = {}
    for each in detectors.detectors():
        for seed, folder in runs.get(each.title, {}).items():
            try:
                costs_of[each.title, seed] = meter.of(each.label, folder)
            except Exception as error:  # noqa: BLE001 - named below, traceback kept
                why = failures.write(
                    context.folder, f"{each.label}-split-{seed}-cost", error
                )
                notes.append(f"{each.title}: its cost could not be measured: {why}")
        rows += _cost_rows(
            each.title, {s: c for (t, s), c in costs_of.items() if t == each.title}
        )
    if costs_of:
        notes.append(_speed_note([*costs_of.values()]))
    notes += [
        f"{title}: {each.cached:,} of its "
        "features were in the cache; seconds of training are without computing those."
        for (title, _), each in costs_of.items()
        if each.cached != 0
    ]
    return rows, notes


def _cost_rows(title: str, by_seed: dict[int, costs.Cost]) -> Iterator[Row]:
    numbers = {seed: each.numbers for seed, each in by_seed.items()}
    for metric in costs.METRICS:
        values = {s: Measured(value=each[metric], n=0) for s, each in numbers.items()}
        if values and all(math.isfinite(each.value) for each in values.values()):
            yield Row(table=page.COST, row=title, metric=metric, ours=values)


def _speed_note(measured_costs: list[costs.Cost]) -> str:
    speeds = [each.speed for each in measured_costs]
    loads = [each["load"] for each in speeds]
    first = speeds[0]
    between = (
        ""
        if first["reference_ms"] is None
        else f", batches of {REFERENCE} in between (the ratio is to those)"
    )
    return (
        f"Milliseconds: median of {first['batches']:g} batches of {first['batch']:g} files, from "
        f"the file to the logit, decoding included, loading the model not{between}; "
        f"{first['cores']:g} cores, load average {min(loads):g} to {max(loads):g}."
    )


def _random(context: Context, status: dict[str, str]) -> Iterator[Row]:
    """Yield a pass of every detector without weights."""
    from experiments.systems.trial import random_pass

    labels, files = context.manifest.rows["label"], context.manifest.files()
    reals, fakes = (
        [path for path, label in zip(files, labels, strict=True) if label == wanted]
        for wanted in ("real", "fake")
    )
    for each in detectors.detectors():
        if status.get(each.title) != NO_WEIGHTS or each.preset is None:
            continue
        row = Row(table=page.RANDOM, row=each.title, metric="loss", status=NO_WEIGHTS)
        try:
            step = random_pass(each, reals, fakes)
        except Exception as error:  # noqa: BLE001 - named in the table, traceback kept
            why = failures.write(context.folder, f"{each.label}-random", error)
            yield dataclasses.replace(row, status=why)
            continue
        ours = {context.seeds[0]: Measured(value=step.loss, n=step.n)}
        yield dataclasses.replace(row, status=RUN, ours=ours)


def _passed(rows: list[Row]) -> Iterator[str]:
    random = [row for row in rows if row.table == page.RANDOM]
    good = [row.row for row in random if row.status == RUN]
    bad = [row.row for row in random if failures.is_failure(row.status)]
    if good:
        yield (
            "Without weights, but built small and random they pass a training step and score "
            f"images: {', '.join(good)}."
        )
    if bad:
        yield f"Without weights, and even built small and random they fail: {', '.join(bad)}."


def _left_out(status: dict[str, str]) -> Iterator[str]:
    weights = "pretrained weights that cannot be had here (--weights MODEL=FILE)"
    for wanted, why in (
        (NO_WEIGHTS, weights),
        (NO_BUDGET, "more hours (--budget-hours)"),
    ):
        names = [title for title, state in status.items() if state == wanted]
        if names:
            yield f"Not run for want of {why}: {', '.join(names)}."


def _unseen(rows: list[Row]) -> Iterator[str]:
    """Yield which detectors could not score all test images."""
    counts = {
        row.row: min(each.n for each in row.ours.values())
        for row in rows
        if (row.table, row.metric) == (page.QUALITY, "auc") and row.ours
    }
    most = max(counts.values(), default=0)
    for title, n in counts.items():
        if n < most:
            yield (
                f"{title} is measured on {n} of the {most} images: the others have no channels "
                "(no face found, or unreadable)."
            )


def _weights(runs: dict[str, Folders], status: dict[str, str]) -> dict[str, Any]:
    """Return, per detector with a base, what it was loaded from."""
    used: dict[str, Any] = {}
    for each in detectors.detectors():
        if not each.needs_weights:
            continue
        if each.title in runs:
            folder = next(iter(runs[each.title].values()))
            used[each.title] = DetectorRun(folder).base_weights
        elif status[each.title] == NO_WEIGHTS:
            used[each.title] = NO_WEIGHTS
    return {**used, "all others": "random weights at the start"}
