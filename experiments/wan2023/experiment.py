"""wan2023: noise pattern and spectra behind channel attention, its tables 1-6 beside ours.

Splits are 5:1:1 within each class, one per seed: the document's three repeats. Cells are
trained in the order of `cells.order` until `--budget-hours` is spent; each is an ordinary
run folder that continues where it was stopped.
"""

import functools
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from experiments.framework import quick
from experiments.framework.cells import forget
from experiments.framework.channel_stores import OTHER_MASK, UNMASKED, Stores, mask
from experiments.framework.runner import Context, Outcome
from experiments.wan2023 import cells, published, saturation, simulated, tables
from experiments.wan2023.cells import Cell, Variant
from kerasfaces.core.errors import OutOfBudgetError
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train.training import Training

logger = logging.getLogger(__name__)
MODELS = ("lnp_attention",)
WEIGHTS = {"lnp_attention": "none"}
SEEDS = (0, 1, 2)
PARTS = ("masks",)  # masks.py: table 4 with MobileNetV2 alone
RATIO = (5, 1, 1)
TITLES = tables.TITLES
DOCUMENT_DATA = published.DATA
_QUICK_PAIRS = 48


def run(context: Context) -> Outcome:
    """Train what the budget allows; return one row per published number."""
    return run_cells(context, cells.order)


def run_cells(
    context: Context, order: Callable[[Sequence[int]], Iterable[Cell]]
) -> Outcome:
    """Train cells while the budget lasts; return every table's rows.

    Args:
        context: Context of the experiment.
        order: Split seeds -> cells, the most telling first.
    """
    notes: list[str] = []
    if context.quick:
        context = quick.reduced(context, _QUICK_PAIRS)
        notes.append(
            f"--quick: {len(context.manifest)} images at {cells.QUICK_PX} px, one epoch, "
            "MobileNetV2 at width .35."
        )
    mask_name = context.mask or (OTHER_MASK if context.quick else mask())
    stores = Stores(context, cells.QUICK_PX if context.quick else cells.SIZE_PX)
    runs: dict[tuple[str, Variant | None], dict[int, Path]] = defaultdict(dict)
    left = 0
    context.train_ahead(
        functools.partial(request, cell, context, stores, mask_name)
        for cell in order(context.seeds)
    )
    for cell in order(context.seeds):
        folder = train(cell, context, stores, mask_name)
        if folder is None:
            left += 1
        else:
            runs[cell.method, cell.variant][cell.seed] = folder
    rows = tables.rows(runs, mask_name)
    notes += tables.ablation_notes(rows, mask_name)
    notes += [
        f"{count} images have no channels in the store {name} (no face, or no mask of it)."
        for name, count in stores.unusable().items()
        if count
    ]
    notes += _saturation_notes(runs, stores, mask_name)
    if left:
        notes.append(
            f"{left} of {sum(map(len, runs.values())) + left} trainings were not started: "
            f"the budget of {context.budget_h} hours was spent."
        )
    return Outcome(rows=rows, weights=_weights(context), notes=notes)


def train(cell: Cell, context: Context, stores: Stores, mask_name: str) -> Path | None:
    """Train a cell or find it trained; None where the budget is spent.

    Args:
        cell: What to train.
        context: Context of the experiment.
        stores: Channel stores of the cells' size.
        mask_name: Name of the mask that cuts faces out.
    """
    folder = context.run_folder(cell.label(mask_name), cell.seed)
    try:
        if not DetectorRun(folder).is_finished:
            forget()
        return context.train(**_arguments(cell, context, stores, mask_name))
    except OutOfBudgetError:
        return None


def request(cell: Cell, context: Context, stores: Stores, mask_name: str) -> Training:
    """Return what `train` trains; channels and simulated fakes it needs are made.

    Raises:
        OutOfBudgetError: They are not made, and the budget is spent.
    """
    return context.request(**_arguments(cell, context, stores, mask_name))


def _arguments(
    cell: Cell, context: Context, stores: Stores, mask_name: str
) -> dict[str, Any]:
    config = cells.configuration(cell, context)
    weights = "none"
    store, manifest = None, None
    if cell.variant is not None:
        store = _store(cell.variant, stores, mask_name)
        if cell.method == "mobilenetv2":
            weights = context.weights[cells.CHANNEL_MODEL]
    elif cell.method == "liu2022":
        store = stores.folder("none", options=["spectrum.amplitude=liu2022"])
    elif cell.method == "autogan_spec":
        if not (context.folder / "simulated").exists():
            context.must_start("simulated fakes")
        manifest = simulated.manifest(
            context.split(RATIO, cell.seed),
            context.folder / "simulated",
            config.model.size_px,
        )
    return {
        "label": cell.label(mask_name),
        "config": config,
        "ratio": RATIO,
        "seed": cell.seed,
        "store": store,
        "manifest": manifest,
        "weights": weights,
    }


def _store(variant: Variant, stores: Stores, mask_name: str) -> Path:
    if not variant.masked:
        return stores.folder("none", UNMASKED)
    three = ["spectrum.colours=3"] if variant.colours == 3 else []
    return stores.folder(mask_name, options=three)


def _saturation_notes(
    runs: dict[tuple[str, Variant | None], dict[int, Path]],
    stores: Stores,
    mask_name: str,
) -> list[str]:
    """Say of every kind of trained attention whether it attends."""
    notes = []
    for (method, variant), folders in runs.items():
        if variant is None or variant.fusion == "concat":
            continue
        seed, folder = next(iter(folders.items()))
        share = saturation.share(folder, _store(variant, stores, mask_name))
        if share is not None:
            name = Cell(method=method, variant=variant, seed=seed).label(mask_name)
            notes.append(
                f"{name}, split {seed}: {share:.0%} of the attention's rows are one-hot "
                f"(over at most {saturation.IMAGES} test images); such rows are a learned gain and "
                "nothing else."
            )
    return notes


def _weights(context: Context) -> dict[str, Any]:
    started = context.weights[cells.CHANNEL_MODEL]
    light = (
        "trained from random weights"
        if started == "none"
        else f"starts from {Path(started).name}, all of it trained"
    )
    return {
        "MobileNetV2 on channels": light,
        "everything else": "trained from random weights",
    }
