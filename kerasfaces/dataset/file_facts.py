"""Facts of image files: SHA-256, remembered by path, size and modification time; sizes.

The content hash is an image's name in every store; reading a large data set only to
hash it again would cost more than training on it.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from kerasfaces import images, store
from kerasfaces.core import engine
from kerasfaces.core.errors import ImageError
from kerasfaces.images.limits import Limits

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS hashes "
    "(path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, sha256 TEXT)"
)
_BATCH = 500  # SQLite's limit on the variables of one query is 999 or more
Stat = tuple[int, int]
Size = tuple[int, int]


def stat_of(path: Path) -> Stat | None:
    """Return `(size, mtime_ns)`, or None when the file cannot be looked at."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def known(stats: Mapping[Path, Stat]) -> dict[Path, str]:
    """Return the remembered hashes of those files that did not change since."""
    digests: dict[Path, str] = {}
    paths = [path for path in stats if _is_unicode(path)]
    with closing(_connect()) as connection:
        for start in range(0, len(paths), _BATCH):
            part = [str(path) for path in paths[start : start + _BATCH]]
            marks = ",".join("?" * len(part))
            query = f"SELECT path, size, mtime_ns, sha256 FROM hashes WHERE path IN ({marks})"
            for path, size, mtime_ns, digest in connection.execute(query, part):
                if stats[Path(path)] == (size, mtime_ns):
                    digests[Path(path)] = digest
    return digests


def remember(rows: Iterable[tuple[Path, Stat, str]]) -> None:
    """Store the hashes of files; SQLite takes no name that is not UTF-8."""
    values = [(str(p), *stat, digest) for p, stat, digest in rows if _is_unicode(p)]
    with closing(_connect()) as connection, connection:
        connection.executemany(
            "INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?)", values
        )


def keys_of(
    files: Sequence[Path], digests: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Hash files, reading those alone that are not remembered.

    Args:
        files: Absolute paths; repetitions are fine.
        digests: Per file, its sha256 as a manifest knows it (or an empty text): used
            where the file itself is not on this machine.

    Returns:
        Per file its sha256, empty where unknown, and why it is unknown.
    """
    unique = list(dict.fromkeys(files))
    stats = {path: stat for path in unique if (stat := stat_of(path))}
    key_of = known(stats)
    if digests:
        stated = zip(files, digests, strict=True)
        key_of |= {path: key for path, key in stated if key and path not in stats}
    unknown = [path for path in unique if path not in key_of]
    reasons: dict[Path, str] = {}
    outcomes = engine.map(
        images.file_sha256, unknown, progress="hashing images", chunk=engine.CHUNK
    )
    for path, outcome in zip(unknown, outcomes, strict=True):
        digest, reasons[path] = outcome.value or ("", images.DECODER_CRASHED)
        if digest:
            key_of[path] = digest
    new = [path for path in unknown if path in key_of and path in stats]
    remember((path, stats[path], key_of[path]) for path in new)
    keys = [key_of.get(path, "") for path in files]
    return keys, [reasons.get(path, "") for path in files]


def _is_unicode(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _connect() -> sqlite3.Connection:
    root = store.cache_root()
    root.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(root / "hashes.sqlite", timeout=60)
    connection.execute(_SCHEMA)
    return connection


def sizes_of(files: Sequence[Path]) -> list[Size | None]:
    """Return each picture's width and height, px; None where the file does not tell."""
    unique = list(dict.fromkeys(files))
    sizes = engine.map(
        _size, unique, progress="reading image sizes", chunk=engine.CHUNK
    )
    known = {path: size.value for path, size in zip(unique, sizes, strict=True)}
    return [known[path] for path in files]


def with_limits(
    files: Sequence[Path], reasons: Sequence[str], limits: Limits | None
) -> list[str]:
    """Return the reasons why files get no verdict, too little a picture among them.

    `reasons` says per file why it has no array, empty where it has one; `limits` are the
    run's, None judges everything. A file that is not on this machine is not looked at.
    """
    if limits is None:
        return list(reasons)
    open_files = [path for path, why in zip(files, reasons, strict=True) if not why]
    sizes = dict(zip(open_files, sizes_of(open_files), strict=True))
    return [
        why or (limits.reason(size) if (size := sizes.get(path)) else "")
        for path, why in zip(files, reasons, strict=True)
    ]


def _size(path: Path) -> Size | None:
    try:
        return images.size_of(path)
    except ImageError:
        return None
