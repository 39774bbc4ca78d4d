"""State dicts of torch networks: read from files, and compared with a network's own."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kerasfaces.core import arrays
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import read_json, sha256


def read(path: Path) -> "Mapping[str, Tensor]":
    """Return what a torch file maps; only tensors are unpickled, never code.

    Raises:
        MissingFileError: There is no such file.
        InputError: It is damaged, or holds something else.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no checkpoint at {path}.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds, and advises to run the code
        raise InputError(
            f"{path} ({path.stat().st_size:,} bytes) is no complete torch checkpoint: "
            "expected a state dict of tensors and nothing else; download it again and "
            "compare its SHA-256."
        ) from error
    if not isinstance(state, Mapping):
        raise InputError(
            f"{path}: expected a state dict of tensors, got {type(state).__name__}; save "
            "network.state_dict()."
        )
    return state


def read_shipped(path: Path, made_by: str) -> tuple[dict[str, Tensor], str]:
    """Return weights that the package carries as float32, and the SHA-256 of their file.

    Args:
        path: An `.npz` of float16; a note with its hash lies beside it as `.json`.
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


def faults(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    """Return what a strict load of `state` would not take, a few words each."""
    return [
        *(f"{name} is missing" for name in expected if name not in state),
        *(f"{name} is unknown" for name in state if name not in expected),
        *(
            f"{name} is {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
            for name, tensor in expected.items()
            if name in state and state[name].shape != tensor.shape
        ),
    ]


def first(some: list[str], n: int) -> str:
    """Return the first `n` faults, and the number of others."""
    more = f" and {len(some) - n} more" if len(some) > n else ""
    return "; ".join(some[:n]) + more
