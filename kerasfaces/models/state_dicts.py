"""State dicts that other frameworks saved, as NumPy arrays: no torch, and no code runs.

A torch file (.pth, .pt, .bin) is a pickle that names storages, and the storages' bytes;
the pickle here may name tensors and nothing else. A .safetensors file is read by its own
package.
"""

import collections
import math
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError, MissingExtraError
from kerasfaces.core.imports import optional_import

Arrays = dict[str, NDArray[Any]]
TORCH_ENDINGS = (".pth", ".pt", ".bin")
ENDINGS = (*TORCH_ENDINGS, ".safetensors")
_MAGIC = 0x1950A86A20F9469CFC6C  # torch/serialization.py, the format before 1.6
_DTYPES = {
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "DoubleStorage": "<f8",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}


class _Storage(NamedTuple):
    key: str
    dtype: str


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, content: bytes) -> NDArray[Any]:
        """Return the array, its strides counted in items; it lies inside the storage."""
        values = np.frombuffer(content, self.storage.dtype)[self.offset :]
        last = sum(
            (n - 1) * step for n, step in zip(self.shape, self.strides, strict=True)
        )
        if math.prod(self.shape) and last >= len(values):
            raise pickle.UnpicklingError("a tensor is longer than its storage")
        strides = [step * values.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(
            values, self.shape, strides, writeable=False
        )


def read(path: Path, wanted: Callable[[str], bool] = lambda name: True) -> Arrays:
    """Return the arrays of a state dict by name.

    Args:
        path: A file of torch (.pth, .pt, .bin) or safetensors.
        wanted: Tells by name which arrays to read.

    Raises:
        InputError: It is truncated, or holds anything but arrays of numbers.
        MissingExtraError: It is of safetensors, whose package is not installed.
    """
    advice = (
        f"{path}: not a complete state dict of tensors (%s); download it again, and compare its "
        "size and SHA-256 with those its publisher states."
    )
    try:
        if path.suffix == ".safetensors":
            return _of_safetensors(path, wanted)
        with path.open("rb") as file:
            state = _of_zip(file) if zipfile.is_zipfile(path) else _of_legacy(file)
        return {name: state[name] for name in state if wanted(name)}
    except MissingExtraError:
        raise
    except Exception as error:  # a pickle can raise whatever it likes
        raise InputError(advice % " ".join(str(error).split())[:120]) from error


def _of_safetensors(path: Path, wanted: Callable[[str], bool]) -> Arrays:
    """Read arrays one by one: half of a model's file may be of no use here."""
    safetensors = optional_import("safetensors", "hub")
    with safetensors.safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys() if wanted(name)}


class _Unpickler(pickle.Unpickler):
    """Knows ordered dictionaries, tensors and storages; every other name is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key = pid[:3]
        if kind != "storage" or dtype not in _DTYPES.values():
            raise pickle.UnpicklingError("it refers to something that is no storage")
        return _Storage(str(key), dtype)


def _tensor(
    storage: _Storage,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    *_: Any,
) -> _Tensor:
    if len(shape) != len(strides) or min((offset, *shape, *strides)) < 0:
        raise pickle.UnpicklingError("a tensor has no such shape")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _of_zip(file: BinaryIO) -> Arrays:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        content = next(name for name in names if name.endswith("data.pkl"))
        folder = content.removesuffix("data.pkl")
        with archive.open(content) as stream:
            state = _Unpickler(stream).load()

        def storage(key: str) -> bytes:
            return archive.read(f"{folder}data/{key}")

        return _arrays(state, storage)


def _of_legacy(file: BinaryIO) -> Arrays:
    if _Unpickler(file).load() != _MAGIC:
        raise pickle.UnpicklingError("its first number is another one")
    _Unpickler(file).load()  # version of the protocol
    if not _Unpickler(file).load().get("little_endian", True):
        raise pickle.UnpicklingError("its numbers are big-endian")
    state = _Unpickler(file).load()
    widths = {
        tensor.storage.key: np.dtype(tensor.storage.dtype).itemsize
        for tensor in state.values()
        if isinstance(tensor, _Tensor)
    }
    storages = {}
    for key in _Unpickler(file).load():
        n_bytes = int.from_bytes(file.read(8), "little") * widths[key]
        storages[key] = file.read(n_bytes)
    return _arrays(state, storages.__getitem__)


def _arrays(state: Any, storage: Callable[[str], bytes]) -> Arrays:
    if not isinstance(state, dict):
        raise pickle.UnpicklingError(f"it holds a {type(state).__name__}")
    arrays: Arrays = {}
    contents: dict[str, bytes] = {}
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise pickle.UnpicklingError(f"{name!r} is no tensor")
        key = tensor.storage.key
        if key not in contents:
            contents[key] = storage(key)
        arrays[name] = tensor.of(contents[key])
    return arrays
