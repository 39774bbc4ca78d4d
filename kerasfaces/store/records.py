"""A store's small files, read strictly: `store.json` and `index.csv`."""

import csv
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces.core.errors import MissingFileError, StoreError
from kerasfaces.core.files import Json, read_json
from kerasfaces.core.texts import quoted
from kerasfaces.store import files

FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Entry:
    """Where one image's array is: `shard` and `row`, or why there is none (`status`)."""

    shard: str
    row: int
    status: str


@dataclasses.dataclass(frozen=True)
class Meta:
    """What `store.json` says: what made the arrays, and one item's shape and dtype."""

    recipe: Json
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def to_dict(self) -> Json:
        """Return what `store.json` holds."""
        return {
            "format": FORMAT_VERSION,
            "recipe": self.recipe,
            "shape": list(self.shape),
            "dtype": str(self.dtype),
        }


def read_meta(folder: Path) -> Meta:
    """Read `store.json`.

    Raises:
        MissingFileError: There is no store in `folder`.
        StoreError: Another format version, or not what a store writes.
    """
    path = folder / "store.json"
    if not path.is_file():
        raise MissingFileError(
            f"{path} does not exist, so {folder} is no store (a folder of arrays and the "
            "recipe that made them); `data.compute_channels(STORE)` makes one."
        )
    values = read_json(path)
    if not isinstance(values, Mapping):
        raise _damaged(path, f"an object, got {quoted(values)}")
    if values.get("format") != FORMAT_VERSION:
        raise StoreError(
            f"{path}: format {quoted(values.get('format'))}, this version reads "
            f"{FORMAT_VERSION}; write the store again."
        )
    recipe, shape = values.get("recipe"), values.get("shape")
    if not isinstance(recipe, dict):
        raise _damaged(path, f"a recipe, got {quoted(recipe)}")
    if not isinstance(shape, list) or not all(type(side) is int for side in shape):
        raise _damaged(path, f"a shape, got {quoted(shape)}")
    return Meta(recipe, tuple(shape), _dtype(values.get("dtype"), path))


def read_index(path: Path, mending: str) -> dict[str, Entry]:
    """Read `index.csv`, if there is one, without a killed writer's half line.

    Raises:
        StoreError: A line is none of the index's; `mending` is the next step.
    """
    entries: dict[str, Entry] = {}
    data = path.read_bytes() if path.exists() else files.HEADER.encode()
    number = 0
    try:
        text = data[: data.rfind(b"\n") + 1].decode("utf-8")
        for number, row in enumerate(csv.reader(text.splitlines()), start=1):
            if number > 1:
                key, shard, position, status = row
                entries[key] = Entry(shard, int(position), status)
    except (ValueError, csv.Error) as error:
        where = f"{path}, line {number}" if number else str(path)
        raise StoreError(f"{where}: {error}; {mending}.") from error
    return entries


def _dtype(name: object, path: Path) -> np.dtype[Any]:
    try:
        dtype = np.dtype(str(name))
    except TypeError as error:
        raise _damaged(path, f"a dtype, got {quoted(name)}") from error
    if dtype.kind not in "biuf":
        raise _damaged(path, f"a dtype of numbers, got {quoted(name)}")
    return dtype


def _damaged(path: Path, problem: str) -> StoreError:
    return StoreError(
        f"{path} is damaged: expected {problem}; restore the file, or make the store "
        "again in another folder."
    )
