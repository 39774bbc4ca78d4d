"""SHA-256 of files, remembered by path, size and modification time.

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

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS hashes "
    "(path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, sha256 TEXT)"
)
_BATCH = 500  # SQLite's limit on the variables of one query is 999 or more
Stat = tuple[int, int]


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
    outcomes = engine.map(_hash, unknown, progress="hashing images", chunk=engine.CHUNK)
    for path, outcome in zip(unknown, outcomes, strict=True):
        digest, reasons[path] = outcome.value or ("", images.DECODER_CRASHED)
        if digest:
            key_of[path] = digest
    new = [path for path in unknown if path in key_of and path in stats]
    remember((path, stats[path], key_of[path]) for path in new)
    keys = [key_of.get(path, "") for path in files]
    return keys, [reasons.get(path, "") for path in files]


def _hash(path: Path) -> tuple[str, str]:
    """Return a file's sha256, or why it cannot be read."""
    try:
        return images.sha256(images.read_file(path)), ""
    except ImageError as error:
        return "", str(error)


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
