"""Fakes that `kerasfaces generate` makes of the test photos, and a detector's AUC on them.

For documents whose generators are not public: they are made anew, where their weights or a key
are at hand, by the same kinds that users have. Nothing is downloaded and nothing is paid for
without being asked: weights must be in the cache of the Hub, and a budget in the environment.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.framework.rows import NO_KEY, NO_WEIGHTS, RUN, Measured, Row
from experiments.framework.runner import Context, Ratio
from kerasfaces.core.errors import InputError, MissingExtraError
from kerasfaces.core.imports import optional_import

KEY, BUDGET = "OPENAI_API_KEY", "KERASFACES_OPENAI_BUDGET"
TABLE = "fresh"
_REPOSITORY = "stable-diffusion-v1-5/stable-diffusion-v1-5"  # network sd-1.5
_N_MAX = 100  # photos: a fake by diffusion takes minutes on a processor


def rows(
    context: Context,
    kinds: Mapping[str, str],
    folders: Mapping[int, Path],
    ratio: Ratio,
    untrained: str = NO_WEIGHTS,
) -> list[Row]:
    """Return a row per kind: AUC of one split's detector on fakes made of its test photos.

    Args:
        context: The experiment's.
        kinds: Line -> kind of generator.
        folders: Split seed -> run folder of the detector; empty where none was trained.
        ratio: The split's.
        untrained: Status where no detector was trained.
    """
    rows = []
    for line, kind in kinds.items():
        status, ours = _missing(kind), {}
        if status == RUN and folders:
            seed = next(iter(folders))
            ours[seed] = _auc(context, kind, folders[seed], ratio, seed)
        elif status == RUN:
            status = untrained
        rows.append(Row(table=TABLE, row=line, metric="auc", ours=ours, status=status))
    return rows


def _missing(kind: str) -> str:
    """Return why a kind cannot be run here, or `RUN`."""
    if kind == "openai":
        return RUN if os.environ.get(KEY) and os.environ.get(BUDGET) else NO_KEY
    try:
        hub = optional_import("huggingface_hub", "generate")
    except MissingExtraError:
        return NO_WEIGHTS
    cached = hub.try_to_load_from_cache(_REPOSITORY, "model_index.json")
    return RUN if isinstance(cached, str) else NO_WEIGHTS


def _auc(context: Context, kind: str, run: Path, ratio: Ratio, seed: int) -> Measured:
    from kerasfaces import manifest as manifests
    from kerasfaces.evaluate.other_images import evaluate_images
    from kerasfaces.generate import own_process
    from kerasfaces.manifest import Manifest

    split = context.split(ratio, seed)
    chosen = (split.rows["split"] == "test") & (split.rows["label"] == "real")
    # Without a split: a generator is taught by photos of none, and all count as test.
    rows = split.rows[chosen].head(_N_MAX).assign(split="")
    photos = Manifest(rows.reset_index(drop=True), split.folder)
    options: dict[str, Any] = {"local_files_only": True}
    if kind == "openai":
        options = {"budget_usd": _budget_usd()}
    folder = context.folder / "fresh" / kind
    own_process.generate(photos, folder, kind, options)
    pairs = manifests.read(folder / "manifest.csv")
    _, metrics = evaluate_images(run, pairs, f"fakes by {kind}")
    slices = metrics["metrics"]["test"]["all"]
    return Measured.of(slices["auc"], slices["n"])


def _budget_usd() -> float:
    try:
        return float(os.environ[BUDGET])
    except ValueError as error:
        raise InputError(
            f"{BUDGET}: expected US dollars, got {os.environ[BUDGET]!r}."
        ) from error
