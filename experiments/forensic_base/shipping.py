"""Write the trained base as the package ships it: float16 arrays, a hash and a note."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.forensic_base.training import predict, validation_auc
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path, sha256, write_json

NAME = "forensic_mobilenetv2_035"
_LEAST_AGREEMENT = 0.002  # the AUC may not move by more


def ship(
    model: Any,
    held_out: list[npt.NDArray[np.uint8]],
    folder: Path,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Write `NAME.npz` and `NAME.json` to `folder`.

    Args:
        model: The trained model; it computes with the rounded weights afterwards.
        held_out: Validation shards.
        folder: Folder of both files.
        facts: Its training, for the note.

    Returns:
        The note.

    Raises:
        RunError: Rounded to float16 the weights judge differently.
    """
    before = validation_auc(model, held_out), predict(model, held_out[0])
    arrays = round_weights(model)
    after = validation_auc(model, held_out), predict(model, held_out[0])
    if not abs(after[0] - before[0]) < _LEAST_AGREEMENT:
        raise RunError(
            f"Rounding to float16 moved the validation AUC from {before[0]:.4f} to "
            f"{after[0]:.4f}; nothing was written to {folder}."
        )
    file = folder / f"{NAME}.npz"
    with atomic_path(file) as temporary:
        np.savez_compressed(temporary, **arrays)
    note = {
        "file": file.name,
        "sha256": sha256(file),
        "architecture": "keras.applications.MobileNetV2(include_top=False)",
        "alpha": 0.35,
        "input": "RGB, [-1, 1]",
        "licence": "Apache-2.0",
        "saw": facts,
        "validation": {
            "auc_float32": before[0],
            "auc_float16": after[0],
            "largest_logit_change": float(np.abs(after[1] - before[1]).max()),
            "logit_sd": float(before[1].std()),
            "n": sum(len(shard) for shard in held_out),
        },
    }
    write_json(folder / f"{NAME}.json", note)
    return note


def round_weights(model: Any) -> dict[str, npt.NDArray[np.float16]]:
    """Round the base's weights to float16, in the model too, and return them by name."""
    arrays = {}
    for layer in model.layers:
        if layer.name.startswith("head_"):
            continue
        for variable in layer.weights:
            rounded = np.asarray(variable).astype(np.float16)
            if not np.isfinite(rounded).all():
                raise RunError(f"{layer.name}/{variable.name} does not fit float16.")
            arrays[f"{layer.name}/{variable.name}"] = rounded
            variable.assign(rounded.astype(np.float32))
    return arrays
