"""A fitted baseline on disk: named arrays in an .npz, nothing that could run."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path

FILE = "model.npz"
Arrays = Mapping[str, NDArray[Any]]
Read = Callable[[NDArray[Any]], NDArray[Any]]


def save(arrays: Arrays, folder: Path) -> None:
    """Write `model.npz` into a run folder."""
    with atomic_path(folder / FILE) as path, path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load(folder: Path) -> dict[str, NDArray[Any]]:
    """Read `model.npz` from a run folder; no code is loaded.

    Raises:
        RunError: It is missing, damaged, or holds anything but arrays of numbers.
    """
    path = folder / FILE
    if not path.exists():
        raise RunError(f"{folder}: training is not finished (no {FILE}); run it again.")
    try:
        # np.load leaves a damaged file open when it is given the path.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} is damaged ({error}); train again.") from error
