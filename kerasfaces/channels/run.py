"""A manifest (or a list of files) -> the channel store, by any engine."""

import contextlib
import dataclasses
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from kerasfaces import images, store
from kerasfaces.channels import config as stage_config
from kerasfaces.channels import engines, recipe
from kerasfaces.channels.chunks import chunk_images, plan, results
from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.worker import Item, Result
from kerasfaces.core.engine import Engine
from kerasfaces.core.files import Json
from kerasfaces.core.progress import progress
from kerasfaces.store import files as store_files

_EXAMPLES = 3
_DETAILED = {"cannot be decoded", "cannot be read", "decoder failed"}  # then per file


@dataclasses.dataclass(frozen=True)
class Summary:
    """Counts over the files asked for, whenever they were computed.

    Attributes:
        store: The store.
        n_images: Number of files asked for.
        n_computed: Number of images that were not in the store before.
        n_ok: Number of files that have an array.
        lost: Per reason, the files without an array.
    """

    store: store.Store
    n_images: int
    n_computed: int
    n_ok: int
    lost: Mapping[str, Sequence[Path]]

    def text(self) -> str:
        """Return a few lines for people."""
        recipe = self.store.recipe
        lines = [
            f"store: {self.store.folder}  {'x'.join(map(str, self.store.shape))} "
            f"{self.store.dtype}: {', '.join(recipe['names'])} "
            f"(mask {recipe['config']['mask']})",
            f"{self.n_images} images: {self.n_ok} ok, {self.n_images - self.n_ok} without "
            f"an array; computed now: {self.n_computed}",
        ]
        for reason, paths in sorted(self.lost.items(), key=lambda item: -len(item[1])):
            more = ", ..." if len(paths) > _EXAMPLES else ""
            examples = ", ".join(str(path) for path in paths[:_EXAMPLES])
            lines.append(f"  {len(paths)} {reason}: {examples}{more}")
        return "\n".join(lines)


def build(
    files: Sequence[Path],
    folder: Path,
    config: ChannelsConfig,
    *,
    known: Sequence[str] | None = None,
    spread: Engine | None = None,
    recipe_here: Json | None = None,
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
        recipe_here: The recipe of `config` on this machine, if it is known; else engines that
            `config` leaves open are those the store was begun with.
        wait: Wait for another writer of the store instead of failing.

    Raises:
        LockedError: Another process is writing the store.
        StoreError: It was made by another recipe, or is damaged.
        InputError: The store's channels were computed by another engine than would
            compute here.
    """
    hashed = hashes(files, known)
    items = [Item(digest, path) for path in files if (digest := hashed[path][0])]
    config, recipe_here = _for_store(folder, config, recipe_here)
    shape = (config.size_px, config.size_px, len(recipe_here["names"]))
    failed: dict[str, str] = {}
    with store.writing(folder, recipe_here, shape, config.dtype, wait=wait) as target:
        target.check()
        chunks = plan(items, target, chunk_images(config.size_px))
        n_computed = sum(map(len, chunks))
        if chunks:
            with (
                progress(n_computed, "computing channels") as add,
                contextlib.closing(
                    results(config, chunks, spread or Engine())
                ) as stream,
            ):
                for computed in stream:
                    commit(target, computed, failed)
                    add(len(computed))
    lost: dict[str, list[Path]] = {}
    for path in files:
        digest, unread = hashed[path]
        status = unread or failed.get(digest) or target.status(digest)
        if status != store.OK:
            head = status.partition(":")[0]
            lost.setdefault(head if head in _DETAILED else status, []).append(path)
    n_ok = len(files) - sum(map(len, lost.values()))
    return Summary(target, len(files), n_computed, n_ok, lost)


def _for_store(
    folder: Path, config: ChannelsConfig, recipe_here: Json | None
) -> tuple[ChannelsConfig, Json]:
    """Return what this machine computes for a store, with engines and recipe as begun."""
    begun = (folder / "store.json").exists()
    if recipe_here is None:
        if begun:
            config = engines.adopted(config, store.read_meta(folder).recipe)
        recipe_here = recipe.recipe_of(config)
    if begun:
        old = store.read_meta(folder).recipe
        if not recipe.differences(old, recipe_here):  # only files have moved since
            recipe_here = old
        elif not store_files.is_empty(folder):
            engines.refuse_others(old, recipe_here, str(folder))
    return config, recipe_here


def build_as(
    wanted: Json,
    where: str,
    files: Sequence[Path],
    folder: Path,
    assignments: Sequence[str] = (),
    *,
    known: Sequence[str] | None = None,
    spread: Engine | None = None,
    wait: bool = False,
) -> Summary:
    """Bring channels into a store (see `build`) as a recipe has them, or refuse.

    The recipe is that of the file `where`; `assignments` may change it, such as
    `lnp.engine=torch`.

    Raises:
        InputError: This machine would make other arrays, or it is no recipe.
    """
    config = stage_config.override(recipe.config_from(wanted, where), assignments)
    if any(".engine=" in assignment for assignment in assignments):
        wanted = engines.named(wanted, config)
    recipe.refuse_difference(wanted, recipe.recipe_of(config), where)
    return build(
        files, folder, config, known=known, spread=spread, recipe_here=wanted, wait=wait
    )


def hashes(
    files: Sequence[Path], known: Sequence[str] | None = None
) -> dict[Path, tuple[str, str]]:
    """Return every file's sha256, and why there is none, each file read at most once.

    Args:
        files: Any files; repetitions are fine.
        known: Per file, its sha256 if it is known, else the empty string. It is believed
            here and checked when the file is decoded.
    """
    digests = dict(zip(files, known, strict=True)) if known else {}
    unknown = [path for path in dict.fromkeys(files) if not digests.get(path)]
    hashed = {path: (digest, "") for path, digest in digests.items()}
    with (
        progress(len(unknown), "hashing images") as add,
        ThreadPoolExecutor(os.cpu_count()) as threads,
    ):
        for path, pair in zip(
            unknown, threads.map(images.file_sha256, unknown), strict=True
        ):
            hashed[path] = pair
            add(1)
    return hashed


def commit(
    target: store.Store, computed: Sequence[Result], failed: dict[str, str]
) -> None:
    """Write one chunk: failures first, so that a kill in between changes no shard.

    Args:
        target: Open for writing.
        computed: Results of one chunk.
        failed: Receives what says nothing about the content (a missing file): such
            images are tried again next time.
    """
    arrays = {r.sha256: r.array for r in computed if r.array is not None}
    reasons = {r.sha256: r.reason for r in computed if r.array is None}
    transient = {r.sha256 for r in computed if r.transient}
    failed |= {key: why for key, why in reasons.items() if key in transient}
    lasting = {key: why for key, why in reasons.items() if key not in transient}
    if lasting:
        target.append_failures(lasting)
    if arrays:
        target.append(list(arrays), np.stack(list(arrays.values())))
