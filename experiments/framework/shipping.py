"""Write a trained network of torch as the package ships it: float16 arrays, a hash, a note."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path, write_json

MAX_BYTES = 2_000_000


def ship(
    network: Any, file: Path, note: dict[str, Any], max_bytes: int = MAX_BYTES
) -> dict[str, Any]:
    """Write `file` (`.npz`) and its note beside it (`.json`).

    Args:
        network: A trained network of torch.
        file: Where to.
        note: What it was trained on and how well it does.
        max_bytes: Size of the file at most.

    Returns:
        The note as written.

    Raises:
        RunError: A weight does not fit float16, or the file would be too large.
    """
    with np.errstate(over="ignore"):  # found below
        arrays = {
            name: tensor.numpy().astype(np.float16)
            for name, tensor in network.state_dict().items()
        }
    wrong = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if wrong:
        raise RunError(f"{', '.join(wrong)} not finite in float16; nothing written.")
    with atomic_path(file) as temporary:
        np.savez_compressed(temporary, **arrays)
    data = file.read_bytes()
    if len(data) > max_bytes:
        raise RunError(f"{file} has {len(data):,} bytes, more than {max_bytes:,}.")
    note = {
        "file": file.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "input": "RGB, [0, 1]",
        "licence": "Apache-2.0",
        **note,
    }
    write_json(file.with_suffix(".json"), note)
    return note
