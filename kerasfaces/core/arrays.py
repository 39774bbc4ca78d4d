"""Named arrays in an .npz file: plain numbers, nothing that could run."""

import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import KerasfacesError, RunError
from kerasfaces.core.files import atomic_path

Arrays = Mapping[str, NDArray[Any]]
Read = Callable[[NDArray[Any]], NDArray[Any]]  # positions -> their arrays
MAX_BYTES = 8 * 2**30  # unpacked; a small file can claim to hold anything
_DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,  # a compression that zipfile does not know
)


def write(path: Path, arrays: Arrays) -> None:
    """Write an .npz atomically.

    Raises:
        ValueError: An array holds objects, which would have to be pickled.
    """
    # NumPy 2.0 has no savez(allow_pickle=False): it would write an array of that name.
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise ValueError(f"{path}: array {name} holds objects, expected numbers.")
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read(
    path: Path,
    advice: str = "restore or delete it",
    error: type[KerasfacesError] = RunError,
    max_bytes: int = MAX_BYTES,
) -> dict[str, NDArray[Any]]:
    """Read all arrays of an .npz; no code is loaded.

    Args:
        path: The file.
        advice: What the message ends with, the next step.
        error: Class of the error, a user's or a run's.
        max_bytes: Upper limit of the unpacked arrays.

    Raises:
        KerasfacesError: It is missing, damaged, too large, or holds anything but arrays
            of numbers and texts.
    """
    try:
        # np.load leaves a damaged file open when it is given the path.
        with path.open("rb") as file:
            with zipfile.ZipFile(file) as archive:
                n_bytes = sum(member.file_size for member in archive.infolist())
            if n_bytes > max_bytes:
                raise ValueError(f"{n_bytes:,} bytes unpacked, at most {max_bytes:,}")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
    except _DAMAGE as cause:
        raise error(f"{path} is damaged ({cause}); {advice}.") from cause
