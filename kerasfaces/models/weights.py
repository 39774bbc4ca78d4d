"""Base weights: located, identified by hash, and loaded strictly.

`forensic` is our own small base inside the package, `imagenet` is Keras' official file
(downloaded, or from Keras' cache), a path is any `.h5`, `.weights.h5` or our `.npz` of
the same architecture (of some, a state dict too), `none` is a random base that must then
be trained.
"""

import dataclasses
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import arrays
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import read_json, sha256
from kerasfaces.core.texts import near_hint, quoted
from kerasfaces.models import hub_weights, state_dicts
from kerasfaces.models.published import (
    HubRepository,
    KaggleFile,
    KerasFile,
    PackageFile,
)

Shape = tuple[int, ...]
Arrays = Mapping[str, NDArray[Any]]


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
        imagenet: Published weights, of most bases ImageNet's; None where there are none.
        shipped: File name of our own base in the package; empty where there is none.
        has_base: False for a network that has no base to have weights for.
        instead: What else to do where `imagenet` is asked for and there is none.
        named: Returns a published state dict's arrays by `layer/weight` of the base, axes
            in Keras' order; None where no such file is read.
        word: What the published weights are called: `imagenet`, or `published` where they
            are of other images.
        folders: Whether folders and addresses (`hf://`, `kaggle://`) are taken, too.
    """

    title: str
    imagenet: KerasFile | KaggleFile | HubRepository | PackageFile | None = None
    shipped: str = ""
    has_base: bool = True
    instead: str = ""
    named: Callable[[Arrays], Arrays] | None = None
    word: str = "imagenet"
    folders: bool = False

    @property
    def hint(self) -> str:
        """Return a sentence, with a space in front, about which file is expected."""
        return "" if self.imagenet is None else self.imagenet.hint

    @property
    def _endings(self) -> str:
        endings = state_dicts.ENDINGS if self.named or self.folders else ()
        return f"{', '.join(('.h5', '.weights.h5', *endings))} or .npz"

    def find(self, text: str) -> BaseWeights | None:
        """Return the weights that a text names; None for `none`.

        Args:
            text: `forensic` (ours), `imagenet` or `published` (of the base's authors),
                `none` (random), a path, or where folders are taken an address.

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
        if text in ("imagenet", "published"):
            if self.imagenet is None:
                raise InputError(
                    f"`weights='imagenet'`: Keras publishes none for {self.title}; use "
                    f"`weights='none'` or a file{self.instead}."
                )
            path = self.imagenet.fetch()
            digest = hub_weights.digest(path)
            return BaseWeights(kind=self.word, path=path, sha256=digest)
        if self.folders and hub_weights.is_address(text):
            path = hub_weights.published(text).fetch()
        else:
            path = Path(text).expanduser()
        if not path.is_file() and not (self.folders and path.is_dir()):
            raise MissingFileError(
                f"`weights={text!r}`: no such file. Expected forensic, {self.word}, none, or a "
                f"file with {self.title} weights without top ({self._endings})."
                + near_hint(text, ("forensic", self.word, "none"))
            )
        return BaseWeights(kind="file", path=path, sha256=hub_weights.digest(path))

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


def load_into(
    full: keras.Model,
    source: BaseWeights,
    named: Callable[[Arrays], Arrays] | None = None,
) -> None:
    """Load `source` into a base without top.

    Args:
        full: The base.
        source: The file.
        named: See `Sources`.

    Raises:
        InputError: A layer is missing or has another shape: nothing is loaded loosely.
    """
    if source.path.suffix == ".npz":
        _load_arrays(full, source, _arrays(source))
        return
    if named and source.path.suffix in state_dicts.ENDINGS:
        _load_arrays(full, source, named(state_dicts.read(source.path)))
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


def _load_arrays(base: keras.Model, source: BaseWeights, values: Arrays) -> None:
    used = set()
    for layer in base.layers:
        keys = [f"{layer.name}/{weight.name}" for weight in layer.weights]
        for key, weight in zip(keys, layer.weights, strict=True):
            if key not in values or values[key].shape != tuple(weight.shape):
                actual = values[key].shape if key in values else "nothing"
                raise InputError(
                    f"{source.path}: {key} should be {tuple(weight.shape)}, found {actual}."
                )
        layer.set_weights([values[key].astype(np.float32) for key in keys])
        used |= set(keys)
    if extra := sorted(set(values) - used):
        raise InputError(
            f"{source.path}: {len(extra)} arrays have no place in {base.name}, e.g. "
            f"{quoted(extra[0])}."
        )


def _arrays(source: BaseWeights) -> Arrays:
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
