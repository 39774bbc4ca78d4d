"""A store's files: shards opened, written and read by position; the index mended."""

import errno
import io
import math
import os
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import machine
from kerasfaces.core.files import write_text
from kerasfaces.store.memory import ArrayPool

_N_REUSED, _REUSED_BYTES = 6, 64 * 2**20  # batches whose memory is used again
_LARGE = 4096  # bytes from which copying item by item is faster than by shard
_BAD_HEADER = (SyntaxError, tokenize.TokenError, TypeError)  # NumPy lets them through
HEADER = "sha256,shard,row,status\n"


class Reader:
    """Random access to chosen images of a store; one copy per shard touched, no more."""

    def __init__(
        self,
        maps: list[NDArray[Any]],
        shards: NDArray[np.int32],
        rows: NDArray[np.int64],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        """Keep memory maps and, per image, which map and which row."""
        # Plain arrays: a row of a memmap costs microseconds more.
        self._maps = [np.asarray(one) for one in maps]
        self._shards, self._rows = shards, rows
        self._memory = ArrayPool(_N_REUSED, _REUSED_BYTES)
        self.shape, self.dtype = shape, dtype

    def __len__(self) -> int:
        return len(self._rows)

    def __call__(self, positions: NDArray[Any]) -> NDArray[Any]:
        """Return `(len(positions), *shape)`, the images at these positions."""
        shards, rows = self._shards[positions], self._rows[positions]
        out = self._memory.array((len(rows), *self.shape), self.dtype)
        if out.nbytes >= _LARGE * len(rows):
            places = zip(shards.tolist(), rows.tolist(), strict=True)
            for at, (shard, row) in enumerate(places):
                out[at] = self._maps[shard][row]
            return out
        for shard in np.unique(shards):
            chosen = np.flatnonzero(shards == shard)
            out[chosen] = self._maps[shard][rows[chosen]]
        return out


def open_shard(path: Path) -> NDArray[Any]:
    """Map a shard; its size is checked against its header.

    Raises:
        OSError: It is missing, or cannot be mapped.
        ValueError: It is truncated or no `.npy` file.
    """
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except _BAD_HEADER as error:
        raise ValueError("its header cannot be read") from error
    except OSError as error:
        # Every map keeps its file open: a store of 100,000 images has more shards than
        # the usual 1,024 files.
        if error.errno != errno.EMFILE or not machine.raise_file_limit():
            raise
        return open_shard(path)
    return array


def size_problem(path: Path, n_rows: int) -> str:
    """Say what is wrong with a shard's header or length of `n_rows` or more, if anything."""
    try:
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            expected = file.tell() + math.prod(shape) * dtype.itemsize
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return "is missing"
    except (OSError, ValueError, EOFError) as error:
        return f"is damaged ({error})"
    except _BAD_HEADER:
        return "is damaged (its header cannot be read)"
    if size != expected:
        return f"is truncated or damaged ({size:,} bytes, expected {expected:,})"
    if not shape or shape[0] < n_rows:
        return f"has too few rows (shape {shape}, the index names {n_rows})"
    return ""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give an error of the operating system, such as a full disk, the file's name."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def append(path: Path, text: str) -> None:
    """Add lines to a list, flushed to the disk. Call as the only writer."""
    with naming(path), path.open("ab") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def write_npy(file: BinaryIO, array: NDArray[Any]) -> None:
    """Write like `np.save`, which hides a full disk behind an error without errno."""
    file.write(npy_header(array))
    file.write(array.data.cast("B"))


def npy_header(array: NDArray[Any]) -> bytes:
    """Return what precedes an array's values in a `.npy` file."""
    header, facts = io.BytesIO(), np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(header, facts)
    return header.getvalue()


def is_empty(folder: Path) -> bool:
    """Tell whether a store has no row; without an index, whether it has no shard."""
    path = folder / "index.csv"
    if not path.exists():
        return next(folder.glob("*.npy"), None) is None
    with path.open("rb") as file:
        file.readline()
        return not file.readline().endswith(b"\n")


def mend(folder: Path) -> None:
    """Undo what a killed writer left: temporary files, half a line of a list.

    Call it as the only writer. The next append then starts a line of its own.
    """
    for temporary in folder.glob(".*.tmp.*"):
        temporary.unlink(missing_ok=True)
    for name in ("SHA256SUMS", "index.csv"):
        path = folder / name
        data = path.read_bytes() if path.exists() else b""
        end = data.rfind(b"\n") + 1
        if end < len(data):
            with path.open("rb+") as file:
                file.truncate(end)
    if not (folder / "index.csv").exists():
        write_text(folder / "index.csv", HEADER)
