"""What the cache holds, and what of it goes: the least recently used first.

Only what is computed again on demand is ever removed: decoded images, features, channels.
Everything else that lies there stays: checkpoints, the sample, the databases of hashes and
faces, and whatever else a user has.
"""

import contextlib
import dataclasses
import functools
import logging
import os
import re
import time
from pathlib import Path

from kerasfaces.core import folders
from kerasfaces.core.errors import InputError, LockedError
from kerasfaces.core.homes import cache_root
from kerasfaces.core.texts import quoted

logger = logging.getLogger(__name__)
LIMIT = "KERASFACES_CACHE_SIZE"
IN_USE_S = 3600.0  # what was used since then may be read at this moment
_KINDS = (
    "images",
    "features",
    "channels",
    "engines",
    "annotations",
    "forensic_base",
)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclasses.dataclass(frozen=True)
class Entry:
    """A part of the cache that is computed, and removed, as a whole.

    Attributes:
        path: A folder or a file.
        kind: `images`, `features`, ...: the folder it lies in.
        size_bytes: Size of all its files.
        used_s: When it was last written or opened, seconds since the epoch.
        lasting: Whether it is never removed.
    """

    path: Path
    kind: str
    size_bytes: int
    used_s: float
    lasting: bool


def entries() -> list[Entry]:
    """Return everything in the cache, the least recently used first."""
    root = cache_root()
    parts: list[Entry] = []
    for top in sorted(root.iterdir()) if root.is_dir() else []:
        lasting = top.name not in _KINDS or not top.is_dir()
        for path in [top] if lasting else sorted(top.iterdir()):
            size_bytes, used_s = _size_and_use(path)
            parts.append(Entry(path, top.name, size_bytes, used_s, lasting))
    return sorted(parts, key=lambda entry: entry.used_s)


def prune(
    older_than_days: float | None = None,
    max_bytes: int | None = None,
    *,
    dry_run: bool = False,
) -> list[Entry]:
    """Remove what was not used for so many days, then the least recently used above a size.

    What another process writes, or what was used within the last hour, stays. Returns
    what was removed, or with `dry_run` what would be.
    """
    now, everything = time.time(), entries()
    total = sum(entry.size_bytes for entry in everything)
    gone = []
    for entry in everything:
        age_s = now - entry.used_s
        old = older_than_days is not None and age_s > older_than_days * 86400
        large = max_bytes is not None and total > max_bytes
        if entry.lasting or age_s < IN_USE_S or not (old or large):
            continue
        if dry_run or _remove(entry.path):
            gone.append(entry)
            total -= entry.size_bytes
    return gone


@functools.cache
def keep_to_limit() -> None:
    """Prune the cache to `$KERASFACES_CACHE_SIZE`, once per process; no limit by default.

    Raises:
        InputError: The limit is no size.
    """
    limit = os.environ.get(LIMIT)
    if not limit:
        return
    gone = prune(max_bytes=size_of(limit, LIMIT))
    if gone:
        freed = sum(entry.size_bytes for entry in gone)
        logger.info("cache: %s of %d parts freed", text_of(freed), len(gone))


def size_of(text: str, name: str) -> int:
    """Return the bytes of `20GB`, `500 MB` or a plain number.

    Raises:
        InputError: It is no size; the message has its `name`.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.strip(), re.IGNORECASE)
    if not match:
        raise InputError(f"{name}: expected a size such as 20GB, got {quoted(text)}.")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def text_of(size_bytes: int) -> str:
    """Return a size as people read it, e.g. `1.5 GB`."""
    unit = [unit for unit, n in _UNITS.items() if size_bytes >= n or not unit][-1]
    return f"{size_bytes / _UNITS[unit]:.{1 if unit else 0}f} {unit}B"


def _size_and_use(path: Path) -> tuple[int, float]:
    """Return the bytes below a path and its newest time; opening a store writes its lock."""
    size_bytes, used_s = 0, 0.0
    below = [Path(at, name) for at, _, names in os.walk(path) for name in names]
    for file in below if path.is_dir() else [path]:
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile
            stat = file.stat()
            size_bytes += stat.st_size
            used_s = max(used_s, stat.st_mtime)
    return size_bytes, used_s


def _remove(path: Path) -> bool:
    """Remove an entry; False where another process is writing it."""
    if path.is_file():
        path.unlink(missing_ok=True)
        return True
    try:
        with folders.lock(path, "part of the cache"):
            for each in path.iterdir():
                if each.name != folders.LOCK:
                    folders.remove(each)
    except LockedError:
        return False
    folders.remove(path)
    return True
