"""A channel store and a list of files, joined by sha256; raw files through the stage.

`from_store` reads a store that exists, `channels_of` first has the channel stage make
one in the cache, in a process of its own: torch never enters this one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kerasfaces import store
from kerasfaces.channels import own_process
from kerasfaces.core.errors import InputError, StoreError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.dataset import file_facts
from kerasfaces.dataset.cache import FileArrays

KIND = "channels"
_SHOWN = 4  # differences named in one message


class Read(Protocol):
    """Positions `(m,)` -> arrays `(m, ...)`."""

    def __call__(self, positions: NDArray[Any]) -> NDArray[Any]:
        """Return the arrays at these positions."""

    def __len__(self) -> int:
        """Return the number of examples."""


class Arrays(Protocol):
    """What training and prediction need of a store.

    Attributes:
        recipe: What made the arrays, JSON types.
    """

    recipe: Json

    def reader(self, keys: Sequence[str]) -> Read:
        """Return a reader of these images by position."""

    def gather(self, keys: Sequence[str]) -> NDArray[Any]:
        """Return the arrays of several images, in order."""


class ChannelStore:
    """Some channels of a store, by name, in any order.

    Attributes:
        folder: Where the store is.
        names: The chosen channels.
        recipe: The store's recipe and the chosen names: it identifies the arrays.
        made_by: The store's recipe alone.
        shape: Shape of one item, `(h, w, len(names))`.
        dtype: NumPy dtype of the arrays read from it.
    """

    def __init__(self, folder: Path, names: Sequence[str] | None = None) -> None:
        """Open a store made by the channel stage, for some channels (None: all).

        Raises:
            MissingFileError: There is no store.
            StoreError: It is damaged, or no channel store.
            InputError: It lacks one of the channels.
        """
        self._store = store.Store(folder)
        self._store.check()
        self.folder = folder
        self.made_by = self._store.recipe
        known = _checked_names(self._store)
        self.names = tuple(known if names is None else names)
        lacking = [name for name in self.names if name not in known]
        if lacking:
            raise InputError(
                f"{folder} has no channel {', '.join(lacking)}; it has {', '.join(known)}. "
                "Choose among those (`model__inputs=...`) or make another store: "
                "`data.compute_channels(STORE)`."
            )
        self._positions = [known.index(name) for name in self.names]
        self._tables = _tables(self._store, self.names)
        self._whole = self._tables is None and list(self.names) == known
        self.recipe = {"channels": list(self.names), "store": self.made_by}
        self.shape = (*self._store.shape[:-1], len(self.names))
        is_float = self._tables is None
        self.dtype = self._store.dtype if is_float else np.dtype(np.float32)

    def status(self, key: str) -> str:
        """Return `ok`, why an image has no array, or `not in the store`."""
        return self._store.status(key)

    def reader(self, keys: Sequence[str]) -> Read:
        """Return a reader of these images by position, without Python per image.

        Raises:
            StoreError: One of them has no array.
        """
        every = self._store.reader(keys)
        if self._whole:
            return every
        return _Selected(every, self._positions, self._tables, self.dtype)

    def gather(self, keys: Sequence[str]) -> NDArray[Any]:
        """Return the arrays of several images, in order, as `(n, *shape)`."""
        return self.reader(keys)(np.arange(len(keys)))


class _Selected:
    """Some channels of every item of a reader, decoded from bytes if need be."""

    def __init__(
        self,
        every: store.Reader,
        positions: Sequence[int],
        tables: NDArray[np.float32] | None,
        dtype: np.dtype[Any],
    ) -> None:
        self._every, self._positions = every, positions
        self._tables, self.dtype = tables, dtype
        self.shape = (*every.shape[:-1], len(positions))

    def __len__(self) -> int:
        return len(self._every)

    def __call__(self, positions: NDArray[Any]) -> NDArray[Any]:
        values = self._every(positions)
        out = np.empty((*values.shape[:-1], len(self._positions)), self.dtype)
        # A channel at a time: fancy indexing of a short last axis is ten times slower.
        for i, channel in enumerate(self._positions):
            plane = values[..., channel]
            out[..., i] = plane if self._tables is None else self._tables[i][plane]
        return out


def from_store(
    files: Sequence[Path],
    folder: Path,
    names: Sequence[str] | None = None,
    digests: Sequence[str] = (),
) -> FileArrays[ChannelStore]:
    """Join files with a store.

    Args:
        files: Absolute paths; repetitions are fine.
        folder: A channel store.
        names: Channels to read, in order; None is all.
        digests: Per file, its sha256 as the manifest knows it; used where the file
            itself is not on this machine.

    Raises:
        MissingFileError: There is no store.
        InputError: It lacks one of the channels.
    """
    arrays = ChannelStore(folder, names)
    keys, unread = file_facts.keys_of(files, digests)
    status = [
        arrays.status(key) if key else why
        for key, why in zip(keys, unread, strict=True)
    ]
    reasons = ["" if why == store.OK else why for why in status]
    return FileArrays(arrays, keys, reasons)


def channels_of(
    files: Sequence[Path], recipe: Json, names: Sequence[str] | None = None
) -> FileArrays[ChannelStore]:
    """Have the channel stage make the channels of raw images, in the cache.

    What is in the cache already is not computed again. Where this machine lacks the
    recipe's engine, another computes, into a cache of its own, and the log says so.

    Args:
        files: Absolute paths.
        recipe: A store's recipe, e.g. the one a run folder keeps.
        names: Channels to read, in order; None is all.

    Raises:
        InputError: The stage refused: this machine would make other arrays, torch is
            missing ... (its own sentence).
        RunError: It failed otherwise.
    """
    from kerasfaces.channels import engines

    recipe = engines.available(recipe)
    folder = store.cache_folder(KIND, recipe)
    keys, _ = file_facts.keys_of(files)
    begun = store.Store(folder) if (folder / "store.json").exists() else None
    missing = [
        path
        for path, key in zip(files, keys, strict=True)
        if key and (begun is None or key not in begun)
    ]
    if missing or begun is None:
        own_process.compute_as(missing or files, recipe, folder)
    return from_store(files, folder, names)


def check_recipe(trained: Json, stored: Json, run: str, folder: Path) -> None:
    """Refuse a store whose arrays were made in another way; log another engine.

    Raises:
        StoreError: The recipes differ; the message names how.
    """
    from kerasfaces.channels import engines, recipe

    changed = recipe.differences(engines.without(trained), engines.without(stored))
    if changed:
        more = " ..." if len(changed) > _SHOWN else ""
        raise StoreError(
            f"{folder} was made by another recipe than {run} was trained on "
            f"({'; '.join(changed[:_SHOWN])}{more}); leave `store` out, and the channels are "
            "computed by the run's own recipe."
        )
    engines.log_difference(trained, stored)


def _checked_names(channels: store.Store) -> list[str]:
    """Return a channel store's channel names, if its recipe has all that training reads."""
    recipe = channels.recipe
    names = recipe.get("names")
    if recipe.get("kind") != KIND or not isinstance(names, list):
        raise StoreError(
            f"{channels.folder} is no channel store (its kind is {quoted(recipe.get('kind'))}); "
            "give one made by kerasfaces channels."
        )
    if len(names) != channels.shape[-1]:
        raise StoreError(
            f"{channels.folder}: {len(names)} channel names for arrays of shape "
            f"{channels.shape}; make the store again."
        )
    parts = {"config", "ranges", "made_by"}
    lacking = sorted(key for key in parts if not isinstance(recipe.get(key), Mapping))
    where = "recipe"
    if not lacking:
        lacking = sorted({"size_px", "crop", "filter"} - recipe["config"].keys())
        where = "recipe's config"
    if lacking:
        raise StoreError(
            f"{channels.folder}/store.json: the {where} has no {', '.join(lacking)}; "
            "restore the file, or make the store again in another folder."
        )
    return names


def _tables(channels: store.Store, names: Sequence[str]) -> NDArray[np.float32] | None:
    """Return what each byte of each chosen channel stands for; None for floats.

    A uint8 store's recipe has `scale`: name -> `[offset, step]`, value = offset + step *
    byte.
    """
    if channels.dtype != np.uint8:
        return None
    try:
        scale = [channels.recipe["scale"][name] for name in names]
        pairs = np.array(scale, np.float64).reshape(len(names), 2)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{channels.folder}/store.json: bytes without a usable scale ({quoted(error)}); "
            "make the store again."
        ) from error
    return (pairs[:, :1] + pairs[:, 1:] * np.arange(256)).astype(np.float32)
