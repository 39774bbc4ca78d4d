"""A manifest (or a list of files) -> the channel store, by any engine.

The plan cuts the unique images, in their order, into chunks of a fixed number; a chunk
is what an engine computes at a time and becomes one shard. Chunks do not depend on what
was done before or by whom, so every engine, killed or not, leaves the same bytes.
"""

import contextlib
import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces import store
from kerasfaces.channels import engines, hashing, recipe
from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.spread import results
from kerasfaces.channels.summary import Summary, summarise
from kerasfaces.channels.worker import Decoded, Item, Result, Worker
from kerasfaces.core.engine import Engine
from kerasfaces.core.progress import progress
from kerasfaces.store import files as store_files

__all__ = ["Chunk", "Decoded", "Item", "Result", "Worker", "build", "plan"]
logger = logging.getLogger(__name__)
CHUNK = 32  # images per shard: 21 MB at 256 px, 5 channels, float16
_FULL_SIZE_PX = 512  # larger images come in smaller chunks: memory holds two


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Images that become one shard (those among them that can have an array)."""

    number: int
    items: tuple[Item, ...]


def chunk_images(size_px: int) -> int:
    """Return the images per chunk: at most `CHUNK`, fewer of large images."""
    return max(1, min(CHUNK, CHUNK * _FULL_SIZE_PX**2 // size_px**2))


def plan(items: Sequence[Item], target: store.Store | None, size: int) -> list[Chunk]:
    """Return the chunks that are not done yet.

    Args:
        items: What to have in the store, in the manifest's order; repetitions are fine.
        target: The store as it is now; None plans everything.
        size: Images per chunk.
    """
    unique = list({item.sha256: item for item in items}.values())
    chunks = []
    for number, start in enumerate(range(0, len(unique), size)):
        left = [
            item
            for item in unique[start : start + size]
            if target is None or item.sha256 not in target
        ]
        if left:
            chunks.append(Chunk(number, tuple(left)))
    return chunks


def build(
    files: Sequence[Path],
    folder: Path,
    config: ChannelsConfig,
    *,
    known: Sequence[str] | None = None,
    spread: Engine | None = None,
    made: Mapping[str, Any] | None = None,
    wait: bool = False,
) -> Summary:
    """Bring the channels of all `files` into the store in `folder`.

    What is there already is not computed again. Killed at any moment, the next call
    continues; at most the chunks in flight are lost.

    Args:
        files: Image files; repetitions are fine.
        folder: The store, made if need be.
        config: What to compute.
        known: Per file, the sha256 if the manifest has it, else the empty string.
        spread: Where chunks are computed; None is this machine.
        made: The recipe of `config` on this machine, if it is known; else engines that
            `config` leaves open are those the store was begun with.
        wait: Wait for another writer of the store instead of failing.

    Raises:
        LockedError: Another process is writing the store.
        StoreError: It was made by another recipe, or is damaged.
        InputError: The store's channels were computed by another engine than would
            compute here.
    """
    hashed = hashing.hash_files(files, known)
    items = [
        Item(digest, path)
        for path, digest in zip(files, hashed.digests, strict=True)
        if digest
    ]
    if made is None:
        if (folder / "store.json").exists():
            config = engines.adopted(config, store.read_meta(folder).recipe)
        made = recipe.recipe_of(config)
    settled = _settled(folder, made)
    shape = (config.size_px, config.size_px, len(settled["names"]))
    failed: dict[str, str] = {}
    with store.writing(folder, settled, shape, config.dtype, wait=wait) as target:
        target.check()
        chunks = plan(items, target, chunk_images(config.size_px))
        if chunks:
            _compute(target, config, chunks, spread or Engine(), failed)
    n_computed = sum(len(chunk.items) for chunk in chunks)
    return summarise(target, files, hashed, failed, n_computed)


def _settled(folder: Path, made: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the recipe as the store has it, if only files have moved since."""
    if (folder / "store.json").exists():
        old = store.read_meta(folder).recipe
        if not recipe.differences(old, made):
            return old
        if not store_files.is_empty(folder):
            engines.refuse_others(old, made, str(folder))
    return made


def _compute(
    target: store.Store,
    config: ChannelsConfig,
    chunks: Sequence[Chunk],
    spread: Engine,
    failed: dict[str, str],
) -> None:
    total = sum(len(chunk.items) for chunk in chunks)
    with (
        progress(total, "computing channels") as add,
        contextlib.closing(results(config, chunks, spread)) as stream,
    ):
        for chunk, computed in stream:
            commit(target, computed, failed)
            add(len(chunk.items))


def commit(
    target: store.Store, results: Sequence[Result], failed: dict[str, str]
) -> None:
    """Write one chunk: failures first, so that a kill in between changes no shard.

    Args:
        target: Open for writing.
        results: Of one chunk.
        failed: Receives what says nothing about the content (a missing file): such
            images are tried again next time.
    """
    good: dict[str, Any] = {}
    lasting: dict[str, str] = {}
    for result in results:
        if result.array is not None:
            good[result.sha256] = result.array
        elif result.transient:
            failed[result.sha256] = result.reason
        else:
            lasting[result.sha256] = result.reason
    if lasting:
        target.append_failures(lasting)
    if good:
        target.append(list(good), np.stack(list(good.values())))
