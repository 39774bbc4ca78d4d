"""Quantised exports: what calibrates them, and what rounding costs on the test split.

Fewer bits give other logits than Keras', so that no limit can be set beforehand: what
they cost is measured, in pairs with the run's own test predictions, and written down.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core.arrays import Read
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import Json
from kerasfaces.metrics import auc_difference, measure
from kerasfaces.metrics.all_metrics import Rows
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.metrics.intervals import rate
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.serve.formats import Outputs

# Of max(1, |logit|). One step of 8 bits is taken otherwise on another processor's kernels.
LIMIT = 0.05
N_CALIBRATION = 128  # validation images; LiteRT's guide asks for "around 100-500"
_BATCH = 16


def calibration_inputs(run: DetectorRun) -> Iterator[NDArray[np.float32]]:
    """Yield inputs of validation images, evenly spread over the split, `(1, h, w, c)`.

    Never of test images: the ranges of activations are chosen on them.
    """
    rows = run.readable("val")
    spread = np.linspace(0, len(rows) - 1, min(N_CALIBRATION, len(rows))).astype(int)
    read, present = _reader(run, rows.iloc[spread], "val", "calibrate")
    for at in range(int(present.sum())):
        yield read(np.array([at])).astype(np.float32)


def cost(run: DetectorRun, outputs: Outputs) -> Json:
    """Return what a quantised file loses on the run's test split.

    `auc_change` (quantised minus Keras, paired bootstrap), both AUCs, `verdicts_changed`,
    `largest_difference` of logits, and `n_real`, `n_fake`, `n_left_out` (images that are
    gone).

    Raises:
        RunError: All images are gone, or a logit is no number.
    """
    rows = run.readable("test")
    purpose = "measure the cost of quantisation"
    read, present = _reader(run, rows, "test", purpose)
    n = int(present.sum())
    batches = (np.arange(at, min(at + _BATCH, n)) for at in range(0, n, _BATCH))
    parts = [outputs(read(each).astype(np.float32))[0][:, 0] for each in batches]
    logits = np.concatenate(parts).astype(np.float64)
    left_out = len(rows) - n
    rows = rows[present]
    before = np.asarray(rows["logit"], np.float64)
    fake: Bools = (rows["label"] == "fake").to_numpy()
    if not np.isfinite(logits).all():
        raise RunError("the quantised file gives logits that are no numbers")
    return {"n_left_out": left_out} | compared(
        fake, before, logits, run.operating_point
    )


def compared(fake: Bools, before: Floats, after: Floats, point: OperatingPoint) -> Json:
    """Return how logits after quantisation differ from Keras' before (see `cost`).

    `fake` bool, `before`, `after`: `(n,)`, of the same images.

    Raises:
        RunError: There is one class alone.
    """
    n_fake = int(fake.sum())
    n_real = len(fake) - n_fake
    if not n_real or not n_fake:
        raise RunError(
            f"of the test split {n_real} real and {n_fake} fake images are on this machine; "
            "what quantisation costs cannot be measured without both"
        )
    scores = [point.apply(each) for each in (before, after)]
    verdicts = [point.verdicts(each) for each in scores]
    changed = sum(a != b for a, b in zip(*verdicts, strict=True))
    aucs = [
        measure(Rows(fake, logit, score), point.thresholds)["auc"].to_dict()
        for logit, score in zip((before, after), scores, strict=True)
    ]
    return {
        "n_real": n_real,
        "n_fake": n_fake,
        "auc_keras": aucs[0],
        "auc_quantised": aucs[1],
        "auc_change": auc_difference(fake, after, before).to_dict(),
        "verdicts_changed": rate(changed, len(fake)).to_dict(),
        "largest_difference": float(np.abs(after - before).max()),
    }


def _reader(
    run: DetectorRun, rows: pd.DataFrame, split: str, purpose: str
) -> tuple[Read, Bools]:
    """Return a reader of what the network takes of rows' files, and which are there."""
    from kerasfaces.run.inputs import inputs_of

    manifest = run.manifest
    where: dict[str, Path] = dict(
        zip(manifest.rows["path"], manifest.files(), strict=True)
    )
    files = [where.get(path, run.path / "not in manifest.csv") for path in rows["path"]]
    inputs = inputs_of(run.network, files)
    keys = [
        key if not why else ""
        for key, why in zip(inputs.keys, inputs.reasons, strict=True)
    ]
    if not any(keys):
        raise RunError(
            f"to {purpose}, images of its {split} split are needed, and none is on this "
            "machine"
        )
    present = np.array([bool(key) for key in keys])
    return inputs.store.reader([key for key in keys if key]), present
