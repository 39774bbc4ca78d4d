"""Base weights: found, identified by hash, and loaded strictly.

`forensic` is our own small base inside the package, `imagenet` is Keras' official file
(downloaded, or from Keras' cache), a path is any `.h5`, `.weights.h5` or our `.npz` of
the same architecture, `none` is a random base that must then be trained.
"""

import contextlib
import dataclasses
import socket
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import arrays, homes
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import read_json, sha256

Shape = tuple[int, ...]
_DOWNLOAD_TIMEOUT_S = 30.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Official:
    """Keras' own weights file of one architecture and width.

    Attributes:
        file: Its official name.
        address: Where Keras downloads it from.
        md5: As published by Keras; empty where Keras publishes none.
    """

    file: str
    address: str
    md5: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaseWeights:
    """Weights that were found, not yet loaded.

    Attributes:
        kind: `forensic`, `imagenet` or `file`.
        path: The file.
        sha256: Of the file.
    """

    kind: str
    path: Path
    sha256: str

    def describe(self) -> dict[str, str]:
        """Return what the run folder records: no path, which is this machine's."""
        return {"kind": self.kind, "file": self.path.name, "sha256": self.sha256}


def find(
    text: str, architecture: str, official: Official, shipped: str
) -> BaseWeights | None:
    """Turn `--weights` into a file.

    Args:
        text: `forensic`, `imagenet`, `none` or a path.
        architecture: For messages.
        official: Keras' file of this architecture.
        shipped: File name of our own base in the package; empty where there is none.

    Returns:
        None for `none`.

    Raises:
        MissingFileError: The file is not there, or cannot be downloaded.
        InputError: There is no such shipped base, or its hash is wrong.
    """
    if text == "none":
        return None
    if text == "forensic":
        return _shipped(shipped, architecture)
    if text == "imagenet":
        path = _imagenet(official)
        return BaseWeights(kind="imagenet", path=path, sha256=sha256(path))
    path = Path(text).expanduser()
    if not path.is_file():
        raise MissingFileError(
            f"--weights {text}: no such file. Expected forensic, imagenet, none, or a file "
            f"with {architecture} weights without top (.h5, .weights.h5 or .npz)."
        )
    return BaseWeights(kind="file", path=path, sha256=sha256(path))


def shapes(found: BaseWeights) -> Counter[Shape]:
    """Return how often each array shape occurs in a weights file.

    Raises:
        InputError: The file is damaged or of another kind.
    """
    return Counter(array.shape for array in _arrays(found).values())


def expected_shapes(base: keras.Model) -> Counter[Shape]:
    """Return how often each weight shape occurs in a base."""
    return Counter(tuple(weight.shape) for weight in base.weights)


def load_into(full: keras.Model, found: BaseWeights) -> None:
    """Load `found` into a base without top.

    Raises:
        InputError: A layer is missing or has another shape: nothing is loaded loosely.
    """
    if found.path.suffix == ".npz":
        _load_npz(full, found)
        return
    wanted, got = expected_shapes(full), shapes(found)
    if wanted != got:
        lacking, extra = wanted - got, got - wanted
        hint = " It seems to include the top." if extra.total() in (1, 2) else ""
        raise InputError(
            f"{found.path}: not weights of {full.name} without top: {lacking.total()} "
            f"arrays missing, {extra.total()} unexpected, e.g. "
            f"{next(iter(lacking or extra))}.{hint} Give --weights a file of this network, or "
            "the --model that these are of."
        )
    try:
        full.load_weights(str(found.path))
    except (ValueError, OSError, KeyError) as error:
        raise InputError(f"{found.path}: cannot be loaded: {error}") from error


def _load_npz(base: keras.Model, found: BaseWeights) -> None:
    values_by_name = _arrays(found)
    for layer in base.layers:
        values = []
        for weight in layer.weights:
            key = f"{layer.name}/{weight.name}"
            value = values_by_name.get(key)
            if value is None or value.shape != tuple(weight.shape):
                got = "nothing" if value is None else str(value.shape)
                raise InputError(
                    f"{found.path}: {key} should be {tuple(weight.shape)}, found {got}."
                )
            values.append(value.astype(np.float32))
        layer.set_weights(values)


def _arrays(found: BaseWeights) -> Mapping[str, NDArray[Any]]:
    if found.path.suffix == ".npz":
        advice = "expected arrays of numbers: give --weights another file"
        return arrays.read(found.path, advice, InputError)
    try:
        import h5py

        shapes: dict[str, NDArray[Any]] = {}

        def visit(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                shapes[name] = np.broadcast_to(np.float32(0), item.shape)  # shape only

        with h5py.File(found.path, "r") as file:
            file.visititems(visit)
        return shapes
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{found.path}: not a readable weights file ({error}); expected .h5, .weights.h5 "
            "or .npz."
        ) from error


def _shipped(name: str, architecture: str) -> BaseWeights:
    folder = resources.files("kerasfaces.models") / "weights"
    if not name:
        raise InputError(
            f"--weights forensic: no such base is shipped for {architecture}, only for "
            "mobilenetv2; give --weights imagenet or a file."
        )
    path = Path(str(folder / name))
    if not path.is_file():
        raise MissingFileError(f"{path} is missing: install kerasfaces again.")
    note = read_json(path.with_suffix(".json"))
    found = sha256(path)
    if note["sha256"] != found:
        raise InputError(
            f"{path}: SHA-256 is {found}, expected {note['sha256']}: install kerasfaces again."
        )
    return BaseWeights(kind="forensic", path=path, sha256=found)


def _imagenet(official: Official) -> Path:
    """Return Keras' cached file, downloading it first if need be."""
    home = homes.keras_home()
    path = home / "models" / official.file
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT_S)  # Keras' own download has none
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Keras prints its progress
            return Path(
                keras.utils.get_file(
                    official.file,
                    official.address + official.file,
                    cache_dir=str(home),
                    cache_subdir="models",
                    file_hash=official.md5 or None,
                )
            )
    except Exception as error:
        raise MissingFileError(
            f"--weights imagenet: {official.file} is not in {path.parent} and could not be "
            f"downloaded ({' '.join(str(error).split())[:120]}). Get it from "
            f"{official.address}{official.file} on a machine with internet, put it at {path}, "
            "or give any copy with --weights FILE."
        ) from error
    finally:
        socket.setdefaulttimeout(before)
