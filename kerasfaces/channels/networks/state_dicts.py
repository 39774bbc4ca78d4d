"""State dicts of torch networks: read from files, and compared with a network's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kerasfaces.core.errors import InputError, MissingFileError


def read(path: Path) -> Mapping[str, Any]:
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
