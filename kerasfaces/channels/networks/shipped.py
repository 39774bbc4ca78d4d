"""Weights that the package carries: float16 arrays in an `.npz`, and a note with their hash."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kerasfaces.core import arrays
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import read_json, sha256


def read(path: Path, made_by: str) -> tuple[dict[str, Tensor], str]:
    """Return the weights as float32, and the SHA-256 of their file.

    Args:
        path: The `.npz`; its note lies beside it as `.json`.
        made_by: The command that makes the file.

    Raises:
        MissingFileError: The file or its note is not there.
        InputError: The file is damaged.
    """
    if not path.is_file():
        raise MissingFileError(
            f"There are no weights at {path}; reinstall kerasfaces, or make them with "
            f"{made_by}."
        )
    digest, note = sha256(path), path.with_suffix(".json")
    if note.exists():
        values = read_json(note)
        expected = str(values.get("sha256") if isinstance(values, dict) else None)
        if digest != expected:
            raise InputError(
                f"{path} is damaged: its SHA-256 is {digest[:12]}..., its note says "
                f"{expected[:12]}...; reinstall kerasfaces or restore both files."
            )
    advice = "expected arrays of numbers: copy it again from where it was made"
    stored = arrays.read(path, advice, InputError)
    try:
        state = {
            name: torch.from_numpy(array.astype(np.float32))
            for name, array in stored.items()
        }
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} holds no weights ({error}); {advice}.") from error
    if not note.exists():
        raise MissingFileError(
            f"{note}, the note with the SHA-256 of {path.name}, is missing; put it beside "
            "the weights."
        )
    return state, digest
