"""Ours: who detects whom, for every generator of a manifest; mudgal2023's bias question.

The generator matrix of `kerasfaces crossgen` twice: training sets of equal size, and
everything there is. Each seed splits, draws and trains anew.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.framework.hours import clock
from experiments.framework.rows import NO_BUDGET, NO_WEIGHTS, Measured, Row, not_run
from experiments.framework.runner import Context, Outcome
from kerasfaces.core.errors import InputError
from kerasfaces.evaluate.names import HEADLINES
from kerasfaces.run.folder import DetectorRun, MatrixRun
from kerasfaces.train import config as configs

MODELS = ("mobilenetv2",)
SEEDS = (0, 1, 2)
DOCUMENT_DATA = ""
_MATRICES = {"equal": "sets of equal size", "everything": "everything there is"}
TITLES = {
    f"{name} {table}": f"{title}; {how}"
    for name, how in _MATRICES.items()
    for table, title in (
        ("matrix", "AUC of a detector of one generator (> the generator tested on)"),
        ("combined", "AUC of a detector of all generators"),
        ("left out", "A detector of all generators but the one tested on"),
        ("one or all", "AUC of training on all minus training on one, same images"),
        ("unseen", "AUC of training on all minus training without it, same images"),
    )
}
_TABLES = {"matrix": "matrix", "combined": "combined", "leave_one_out": "left out"}


def run(context: Context) -> Outcome:
    """Train both matrices and read their cells off."""
    reason = context.missing_weights("mobilenetv2")
    if reason:
        rows = not_run("equal matrix", ("all",), HEADLINES, NO_WEIGHTS)
        return Outcome(rows=rows, weights={"mobilenetv2": NO_WEIGHTS}, notes=[reason])
    rows: list[Row] = []
    notes: list[str] = []
    for name in _MATRICES:
        if not context.can_start():
            rows += not_run(f"{name} matrix", ("all cells",), HEADLINES, NO_BUDGET)
            continue
        folder = _crossgen(context, name)
        content = MatrixRun(folder).result
        rows += [*_cells(name, content), *_compared(name, content)]
        notes += [f"{name}: {text}" for text in _notes(content)]
    first = next(context.folder.glob("*/runs/*/seed-*"), None)
    if first is None:
        return Outcome(rows=rows, weights={"mobilenetv2": NO_BUDGET})
    weights = {"mobilenetv2": DetectorRun(first).base_weights}
    return Outcome(rows=rows, weights=weights, notes=notes)


def _crossgen(context: Context, name: str) -> Path:
    from kerasfaces.crossgen.plan import MatrixSettings
    from kerasfaces.crossgen.run import crossgen

    seeds = list(context.seeds)
    if seeds != list(range(seeds[0], seeds[0] + len(seeds))):
        raise InputError(
            f"--seeds: expected successive seeds such as 0-2, got {seeds}."
        )
    weights = context.weights["mobilenetv2"]
    config = configs.default("mobilenetv2", weights)
    bare = context.manifest.rows.assign(split="")
    with clock(context.folder):
        return crossgen(
            MatrixSettings(
                config=dataclasses.replace(config, seed=seeds[0]),
                manifest=dataclasses.replace(context.manifest, rows=bare),
                weights=weights,
                repeat=len(seeds),
                keep_all=name == "everything",
                folder=context.folder / name,
                notes=context.notes,
            )
        )


def _cells(name: str, content: Mapping[str, Any]) -> Iterator[Row]:
    """Yield AUC of every cell, and the other headlines of those left out."""
    for cell in content["cells"]:
        if cell["status"] != "run":
            continue
        table = f"{name} {_TABLES[cell['table']]}"
        own = cell["table"] == "matrix"
        label = f"{cell['train']} > {cell['test']}" if own else cell["test"]
        for metric in HEADLINES if cell["table"] == "leave_one_out" else ("auc",):
            yield Row(
                table=table,
                row=label,
                metric=metric,
                ours=_measured(content["seeds"], cell, metric),
            )


def _measured(
    seeds: Sequence[int], cell: Mapping[str, Any], metric: str
) -> dict[int, Measured]:
    """Return each seed's value; the limits are the mean ones of the cell."""
    estimate, n = cell["metrics"][metric], cell["n_real"] + cell["n_fake"]
    return {
        seed: Measured.of(estimate | {"value": value}, n)
        for seed, value in zip(seeds, estimate["values"], strict=True)
    }


def _compared(name: str, content: Mapping[str, Any]) -> Iterator[Row]:
    for each in content["compared"]:
        unseen = each["on"] == "the generator left out"
        tested = each["on"].removeprefix("the ")
        table = f"{name} {'unseen' if unseen else 'one or all'}"
        label = each["tested"][0] if unseen else f"{each['other']}, on {tested}"
        ours = {
            seed: Measured(value=value, n=each["n"])
            for seed, value in zip(content["seeds"], each["values"], strict=True)
        }
        p_value = math.nan if each["p_holm"] is None else each["p_holm"]
        pooled = dataclasses.replace(Measured.of(each, each["n"]), p_value=p_value)
        yield Row(
            table=table, row=label, metric="auc difference", ours=ours, pooled=pooled
        )


def _notes(content: Mapping[str, Any]) -> Iterator[str]:
    worst = content["worst"]
    auc = worst["metrics"]["auc"]
    yield (
        f"worst cell: trained on {worst['train']}, tested on {worst['test']}: AUC "
        f"{auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]."
    )
    yield content["balance"]
    yield from content["warnings"]
