"""A torch file enters, its mapping of tensors leaves; code in it is never run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from kerasfaces.core.errors import InputError, MissingFileError


def read(path: Path) -> Mapping[str, Any]:
    """Return what a torch file maps; only tensors are unpickled.

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
