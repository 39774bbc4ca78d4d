"""Base weights: located, identified by hash, and loaded strictly.

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
from kerasfaces.core.imports import optional_import

Shape = tuple[int, ...]
_SERVER = "https://storage.googleapis.com/tensorflow/keras-applications"
_DOWNLOAD_TIMEOUT_S = 30.0
_KAGGLE_FILE = "model.weights.h5"


@dataclasses.dataclass(frozen=True)
class KerasFile:
    """Keras' own ImageNet weights of one architecture and width.

    Attributes:
        folder: Its folder on Keras' server.
        file: Its official name.
        md5: As published by Keras; empty where Keras publishes none.
    """

    folder: str
    file: str
    md5: str = ""
    hint = ""

    @property
    def address(self) -> str:
        """Return where Keras downloads it from."""
        return f"{_SERVER}/{self.folder}/{self.file}"

    def fetch(self) -> Path:
        """Return Keras' cached file, downloading it first if need be.

        Raises:
            MissingFileError: It cannot be had; the message says where to get it.
        """
        home = homes.keras_home()
        path = home / "models" / self.file
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT_S)  # Keras' own download has none
        try:
            with contextlib.redirect_stdout(sys.stderr):  # Keras prints its progress
                return Path(
                    keras.utils.get_file(
                        self.file,
                        self.address,
                        cache_dir=str(home),
                        cache_subdir="models",
                        file_hash=self.md5 or None,
                    )
                )
        except Exception as error:
            raise MissingFileError(
                f"`weights='imagenet'`: {self.file} is not in {path.parent} and could not be "
                f"downloaded ({_shortened(error)}). Get it from {self.address} on a machine "
                f"with internet, put it at {path}, or give any copy with `weights=FILE`."
            ) from error
        finally:
            socket.setdefaulttimeout(before)


@dataclasses.dataclass(frozen=True)
class KaggleFile:
    """keras-hub's ImageNet weights of one architecture.

    Attributes:
        handle: On Kaggle, as `owner/model/framework/variation/version`.
    """

    handle: str

    @property
    def name(self) -> str:
        """Return keras-hub's name of these weights."""
        return self.handle.split("/")[3]

    @property
    def address(self) -> str:
        """Return the page a person can download from."""
        return f"https://www.kaggle.com/models/{self.handle.rpartition('/')[0]}"

    @property
    def hint(self) -> str:
        """Return which file is expected."""
        return f" Expected keras-hub's {self.name} (its {_KAGGLE_FILE})."

    def fetch(self) -> Path:
        """Return the file in kagglehub's cache, downloading it first if need be.

        Raises:
            MissingFileError: It cannot be had; the message says where to get it.
        """
        kagglehub = optional_import("kagglehub", "hub")
        try:
            with contextlib.redirect_stdout(sys.stderr):  # its progress
                return Path(kagglehub.model_download(self.handle, _KAGGLE_FILE))
        except Exception as error:
            raise MissingFileError(
                f"`weights='imagenet'`: keras-hub's {self.name} is not in kagglehub's cache "
                f"and could not be downloaded ({_shortened(error)}). Get {_KAGGLE_FILE} from "
                f"{self.address} on a machine with internet, put it anywhere and give it "
                "with `weights=FILE`."
            ) from error


def _shortened(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaseWeights:
    """A weights file, not yet loaded.

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


@dataclasses.dataclass(frozen=True)
class Sources:
    """Where weights of one base come from.

    Attributes:
        title: The base's name in messages.
        imagenet: Published ImageNet weights; None where there are none.
        shipped: File name of our own base in the package; empty where there is none.
        has_base: False for a network that has no base to have weights for.
        instead: What else to do where `imagenet` is asked for and there is none.
    """

    title: str
    imagenet: KerasFile | KaggleFile | None = None
    shipped: str = ""
    has_base: bool = True
    instead: str = ""

    @property
    def hint(self) -> str:
        """Return a sentence, with a space in front, about which file is expected."""
        return "" if self.imagenet is None else self.imagenet.hint

    def find(self, text: str) -> BaseWeights | None:
        """Return the weights that a text names; None for `none`.

        Args:
            text: `forensic` (ours), `imagenet`, `none` (random), or a file's path.

        Raises:
            MissingFileError: The file is not there, or cannot be downloaded.
            InputError: There are no such weights, or our own are damaged.
        """
        if text == "none":
            return None
        if not self.has_base:
            raise InputError(
                f"`weights={text!r}`: {self.title} has no base that weights could be for; "
                "leave it out."
            )
        if text == "forensic":
            return self._ours()
        if text == "imagenet":
            if self.imagenet is None:
                raise InputError(
                    f"`weights='imagenet'`: Keras publishes none for {self.title}; use "
                    f"`weights='none'` or a file{self.instead}."
                )
            path = self.imagenet.fetch()
            return BaseWeights(kind="imagenet", path=path, sha256=sha256(path))
        path = Path(text).expanduser()
        if not path.is_file():
            raise MissingFileError(
                f"`weights={text!r}`: no such file. Expected forensic, imagenet, none, or a "
                f"file with {self.title} weights without top (.h5, .weights.h5 or .npz)."
            )
        return BaseWeights(kind="file", path=path, sha256=sha256(path))

    def _ours(self) -> BaseWeights:
        if not self.shipped:
            raise InputError(
                f"`weights='forensic'`: no such base is shipped for {self.title}, only for "
                "mobilenetv2; give `weights='imagenet'` or a file."
            )
        folder = resources.files("kerasfaces.models") / "weights"
        path = Path(str(folder / self.shipped))
        if not path.is_file():
            raise MissingFileError(f"{path} is missing: install kerasfaces again.")
        expected, digest = read_json(path.with_suffix(".json"))["sha256"], sha256(path)
        if digest != expected:
            raise InputError(
                f"{path}: SHA-256 is {digest}, expected {expected}: install kerasfaces "
                "again."
            )
        return BaseWeights(kind="forensic", path=path, sha256=digest)


def shapes(source: BaseWeights) -> Counter[Shape]:
    """Return how often each array shape occurs in a weights file.

    Raises:
        InputError: The file is damaged or of another kind.
    """
    return Counter(array.shape for array in _arrays(source).values())


def expected_shapes(base: keras.Model) -> Counter[Shape]:
    """Return how often each weight shape occurs in a base."""
    return Counter(tuple(weight.shape) for weight in base.weights)


def load_into(full: keras.Model, source: BaseWeights) -> None:
    """Load `source` into a base without top.

    Raises:
        InputError: A layer is missing or has another shape: nothing is loaded loosely.
    """
    if source.path.suffix == ".npz":
        _load_npz(full, source)
        return
    expected, actual = expected_shapes(full), shapes(source)
    if expected != actual:
        lacking, extra = expected - actual, actual - expected
        hint = " It seems to include the top." if extra.total() in (1, 2) else ""
        raise InputError(
            f"{source.path}: not weights of {full.name} without top: {lacking.total()} "
            f"arrays missing, {extra.total()} unexpected, e.g. "
            f"{next(iter(lacking or extra))}.{hint} Give `weights` a file of this network, "
            "or the `model` that these are of."
        )
    try:
        full.load_weights(str(source.path))
    except (ValueError, OSError, KeyError) as error:
        raise InputError(f"{source.path}: cannot be loaded: {error}") from error


def _load_npz(base: keras.Model, source: BaseWeights) -> None:
    values = _arrays(source)
    for layer in base.layers:
        keys = [f"{layer.name}/{weight.name}" for weight in layer.weights]
        for key, weight in zip(keys, layer.weights, strict=True):
            if key not in values or values[key].shape != tuple(weight.shape):
                actual = values[key].shape if key in values else "nothing"
                raise InputError(
                    f"{source.path}: {key} should be {tuple(weight.shape)}, found {actual}."
                )
        layer.set_weights([values[key].astype(np.float32) for key in keys])


def _arrays(source: BaseWeights) -> Mapping[str, NDArray[Any]]:
    """Return a file's arrays by name; those of an .h5 file are shapes alone."""
    if source.path.suffix == ".npz":
        advice = "expected arrays of numbers: give `weights` another file"
        return arrays.read(source.path, advice, InputError)
    try:
        import h5py

        values: dict[str, NDArray[Any]] = {}

        def visit(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                values[name] = np.broadcast_to(np.float32(0), item.shape)

        with h5py.File(source.path, "r") as file:
            file.visititems(visit)
        return values
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{source.path}: not a readable weights file ({error}); expected .h5, .weights.h5 "
            "or .npz."
        ) from error
