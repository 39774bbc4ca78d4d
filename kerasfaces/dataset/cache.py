"""Decode and resize each image once, into the uint8 cache.

Workers run Pillow in processes of their own; an image on which a decoder dies costs
that image alone.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from kerasfaces import images, store
from kerasfaces.core import engine
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import ImageError, TemporaryImageError
from kerasfaces.core.progress import progress
from kerasfaces.dataset import file_facts
from kerasfaces.images import InputSpec

_SHARD_BYTES = 64 * 2**20
AnyStore = TypeVar("AnyStore")


@dataclasses.dataclass(frozen=True)
class FileArrays(Generic[AnyStore]):
    """A store seen from a list of files.

    Attributes:
        store: Arrays by sha256.
        keys: Per file, its sha256; empty when it could not be read.
        reasons: Per file, why it has no array; empty when it has one.
    """

    store: AnyStore
    keys: list[str]
    reasons: list[str]


CachedImages = FileArrays[store.Store]  # `InputSpec.shape` uint8


@dataclasses.dataclass(frozen=True)
class Decoded:
    """One file's hash and array, or the reason why it has none.

    Attributes:
        path: The file.
        sha256: Hash of its content; empty where that is unknown or says nothing.
        array: `InputSpec.shape` uint8.
        reason: Why there is no array.
    """

    path: Path
    sha256: str
    array: NDArray[np.uint8] | None
    reason: str


def cache_images(
    files: Sequence[Path],
    spec: InputSpec,
    spread: Engine | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> CachedImages:
    """Bring all `files` into the cache of `spec` and return them, in order.

    What was decoded before, in whichever run, is not decoded again. Killed at any
    moment, the next call continues.

    Args:
        files: Absolute paths; repetitions are fine.
        spec: Size, crops, crop and filter.
        spread: Where they are decoded; default is a process per core of this machine.
        meanwhile: Called once if images have to be decoded, before that; it must return
            at once (e.g. start a thread).
    """
    recipe = {"kind": "images", **spec.recipe()}
    folder = store.cache_folder("images", recipe)
    with store.writing(folder, recipe, spec.shape, "uint8", wait=True) as cache:
        unique = list(dict.fromkeys(files))
        stats = {path: stat for path in unique if (stat := file_facts.stat_of(path))}
        digests = file_facts.known(stats)
        missing = [path for path in unique if digests.get(path, "") not in cache]
        reasons: dict[Path, str] = {}
        if missing:
            if meanwhile is not None:
                meanwhile()
            _fill(cache, missing, spec, spread, stats, digests, reasons)
    keys = [digests.get(path, "") for path in files]
    status = [
        reasons.get(path) or cache.status(key)
        for path, key in zip(files, keys, strict=True)
    ]
    return FileArrays(cache, keys, ["" if why == store.OK else why for why in status])


def _fill(
    cache: store.Store,
    missing: list[Path],
    spec: InputSpec,
    spread: Engine | None,
    stats: dict[Path, file_facts.Stat],
    digests: dict[Path, str],
    reasons: dict[Path, str],
) -> None:
    """Decode `missing` into `cache`; fill in `digests` and `reasons`."""
    per_shard = max(1, _SHARD_BYTES // math.prod(spec.shape))
    pending: dict[str, NDArray[np.uint8]] = {}
    new: list[tuple[Path, file_facts.Stat, str]] = []

    def flush() -> None:
        if pending:
            cache.append(list(pending), np.stack(list(pending.values())))
            pending.clear()
        file_facts.remember(new)
        new.clear()

    with progress(len(missing), "decoding images") as add:
        for item in decode_all(missing, spec, spread):
            if not item.sha256:
                reasons[item.path] = item.reason
            else:
                digests[item.path] = item.sha256
                if item.path in stats:
                    new.append((item.path, stats[item.path], item.sha256))
                if item.array is None and item.sha256 not in cache:
                    cache.append_failures({item.sha256: item.reason})
                elif item.array is not None and item.sha256 not in cache:
                    pending.setdefault(item.sha256, item.array)
            if len(pending) >= per_shard:
                flush()
            add(1)
        flush()


def decode_all(
    files: Sequence[Path], spec: InputSpec, spread: Engine | None = None
) -> Iterator[Decoded]:
    """Decode files in worker processes; results come in the order of `files`."""
    outcomes = engine.map(
        functools.partial(_decode, spec=spec),
        files,
        spread=spread,
        chunk=engine.CHUNK,
        load=_read if spread and spread.name == "ray" else None,
    )
    for path, outcome in zip(files, outcomes, strict=True):
        yield outcome.value or Decoded(path, "", None, images.DECODER_CRASHED)


def _read(path: Path) -> tuple[Path, bytes] | Decoded:
    """Return a file with its bytes, or why there are none."""
    try:
        return path, images.read_file(path)
    except ImageError as error:
        return Decoded(path, "", None, str(error))


def _decode(file: Path | tuple[Path, bytes] | Decoded, spec: InputSpec) -> Decoded:
    """Return a file decoded; what has a reason already stays."""
    content = _read(file) if isinstance(file, Path) else file
    if isinstance(content, Decoded):
        return content
    path, data = content
    digest = images.sha256(data)
    try:
        return Decoded(path, digest, images.to_array(images.decode(data), spec), "")
    except TemporaryImageError as error:  # not the image's fault: without a hash
        return Decoded(path, "", None, str(error))
    except ImageError as error:
        return Decoded(path, digest, None, str(error))
