"""A folder of `.npy` shards with an index: how arrays pass between stages.

    store.json     what the arrays are and the recipe that made them
    index.csv      sha256,shard,row,status  (status `ok`, or why the image has no array)
    NAME.npy       one C-ordered array (n, ...) that NumPy maps
    SHA256SUMS     one line per shard

The writer appends whole shards: an array is written under a temporary name, flushed and
renamed, and only then do its checksum and its rows enter the lists. Killing the writer at any moment
loses at most the shard in flight; starting it again continues.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import config, folders
from kerasfaces.core.errors import StoreError
from kerasfaces.core.files import Json, atomic_path, write_json
from kerasfaces.core.homes import cache_root as cache_root
from kerasfaces.store import checksums, files, records
from kerasfaces.store.files import Reader as Reader
from kerasfaces.store.records import Entry, Meta
from kerasfaces.store.records import read_meta as read_meta

OK = "ok"


def cache_folder(kind: str, recipe: Json) -> Path:
    """Return the cache folder of a recipe: `ROOT/kind/<hash of the recipe>`.

    The first call of a process makes room where the cache has a limit.

    Raises:
        InputError: The limit is no size.
    """
    from kerasfaces.store import cache

    cache.keep_to_limit()
    return cache_root() / kind / config.digest(dict(recipe), 20)


class Store:
    """Read access to a store, and the writer's append.

    Attributes:
        folder: Folder of the store.
        recipe: Settings and versions that made the arrays.
        shape: Shape of one item, e.g. `(256, 256, 3)`.
        dtype: NumPy dtype of the arrays.
    """

    def __init__(self, folder: Path) -> None:
        """Open an existing store.

        Raises:
            MissingFileError: There is no store in `folder`.
            StoreError: Another format version, or a damaged `store.json` or index.
        """
        self.folder = folder
        meta = read_meta(folder)
        self.recipe, self.shape, self.dtype = meta.recipe, meta.shape, meta.dtype
        self._maps: dict[str, NDArray[Any]] = {}
        self._entries = records.read_index(folder / "index.csv", self._mending())

    def __len__(self) -> int:
        """Return the number of indexed images, those without an array included."""
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        """Tell whether an image (sha256) was processed, with or without success."""
        return key in self._entries

    def status(self, key: str) -> str:
        """Return `ok`, the reason why an image has no array, or `not in the store`."""
        entry = self._entries.get(key)
        return entry.status if entry else "not in the store"

    def gather(self, keys: Sequence[str]) -> NDArray[Any]:
        """Return the arrays of several images, in order, as `(n, *shape)`.

        Raises:
            StoreError: One of them has no array.
        """
        return self.reader(keys)(np.arange(len(keys)))

    def reader(self, keys: Sequence[str]) -> "Reader":
        """Return a reader of these images by position, without Python per image.

        Raises:
            StoreError: One of them has no array.
        """
        lacking = [key for key in keys if self.status(key) != OK]
        if lacking:
            raise StoreError(
                f"{self.folder}: {len(lacking)} of {len(keys)} images have no array, first "
                f"{lacking[0][:12]} ({self.status(lacking[0])})."
            )
        entries = [self._entries[key] for key in keys]
        numbers: dict[str, int] = {}
        shards = [numbers.setdefault(e.shard, len(numbers)) for e in entries]
        return Reader(
            [self._map(shard) for shard in numbers],
            np.array(shards, dtype=np.int32),
            np.array([entry.row for entry in entries], dtype=np.int64),
            self.shape,
            self.dtype,
        )

    def check(self) -> None:
        """Look at every shard's header and length, quickly: its values are not read.

        Raises:
            StoreError: One is missing, truncated, or shorter than its rows.
        """
        last: dict[str, int] = {}
        for entry in self._entries.values():
            if entry.status == OK:
                last[entry.shard] = max(entry.row, last.get(entry.shard, -1))
        for shard, row in last.items():
            path = self.folder / shard
            problem = files.size_problem(path, row + 1)
            if problem:
                raise StoreError(f"{path}: shard {problem}; {self._mending()}.")

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Where every image's array is, by sha256."""
        return MappingProxyType(self._entries)

    def append(self, keys: Sequence[str], values: NDArray[Any]) -> None:
        """Add one shard: `values` is `(len(keys), *shape)`. Call inside `writing`."""
        if not keys:
            return
        if values.shape != (len(keys), *self.shape):
            raise StoreError(
                f"{self.folder}: expected an array of shape {(len(keys), *self.shape)}, got "
                f"{values.shape}."
            )
        name = f"{config.digest(list(keys), 16)}.npy"
        array = np.ascontiguousarray(values, dtype=self.dtype)
        with ThreadPoolExecutor(1) as pool:  # hashes while the disk writes
            digest = pool.submit(checksums.of_array, array)
            with (
                files.naming(self.folder / name),
                atomic_path(self.folder / name) as temporary,
                temporary.open("wb") as file,
            ):
                files.write_npy(file, array)
        checksums.append(self.folder, [(name, digest.result())])
        self._append_index([(key, name, row, OK) for row, key in enumerate(keys)])

    def append_failures(self, reasons: Mapping[str, str]) -> None:
        """Record images (sha256 -> reason) that can have no array. Inside `writing`."""
        self._append_index([(key, "", -1, reason) for key, reason in reasons.items()])

    def _append_index(self, rows: Iterable[tuple[str, str, int, str]]) -> None:
        entries = {
            key: Entry(shard, row, " ".join(text.split()))
            for key, shard, row, text in rows
        }
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(
            (key, each.shard, each.row, each.status) for key, each in entries.items()
        )
        files.append(self.folder / "index.csv", lines.getvalue())
        self._entries |= entries

    def _mending(self) -> str:
        if self.recipe.get("kind") == "channels":
            return f"run: kerasfaces channels repair {self.folder}"
        return f"delete {self.folder} and run again"

    def _map(self, shard: str) -> NDArray[Any]:
        if shard not in self._maps:
            path = self.folder / shard
            try:
                array = files.open_shard(path)
            except (OSError, ValueError, EOFError) as error:
                raise StoreError(
                    f"{path}: shard is missing or damaged ({error}); {self._mending()}."
                ) from error
            if array.shape[1:] != self.shape or array.dtype != self.dtype:
                raise StoreError(
                    f"{path}: holds {array.dtype} {array.shape[1:]}, store.json says "
                    f"{self.dtype} {self.shape}; {self._mending()}."
                )
            self._maps[shard] = array
        return self._maps[shard]


@contextmanager
def writing(
    folder: Path, recipe: Json, shape: Sequence[int], dtype: str, *, wait: bool = False
) -> Iterator[Store]:
    """Open a store for appending, creating it first if need be; one writer at a time.

    A store that holds nothing yet takes the new recipe.

    Args:
        folder: Folder of the store, made if need be.
        recipe: Settings and versions that make the arrays, JSON types only.
        shape: Shape of one item.
        dtype: NumPy dtype of the arrays.
        wait: Wait for another writer instead of failing: right for shared caches.

    Raises:
        LockedError: Another process is writing it.
        StoreError: It holds images of another recipe, shape or dtype, or is damaged.
    """
    meta = Meta(dict(recipe), tuple(shape), np.dtype(dtype)).to_dict()
    with folders.lock(folder, "store", wait=wait):
        path = folder / "store.json"
        begun = path.exists()
        changed = config.diff(read_meta(folder).to_dict(), meta) if begun else []
        if changed and not files.is_empty(folder):
            raise StoreError(
                f"{folder} was written with another recipe ({'; '.join(changed)}); choose "
                "another folder."
            )
        if changed or not begun:
            write_json(path, meta)
        files.mend(folder)
        yield Store(folder)
