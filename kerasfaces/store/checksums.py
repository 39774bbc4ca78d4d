"""One SHA-256 per finished shard, in `SHA256SUMS`: `sha256sum --check` reads it too.

A shard's line is appended after the shard and before its rows in the index, so that a
writer killed in between leaves a line too many, never one too few. The last line of a
shard counts.
"""

import hashlib
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from kerasfaces.core.files import write_text
from kerasfaces.store import files

FILE = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def of_array(array: NDArray[Any]) -> str:
    """Return the SHA-256 of the file that `files.write_npy` makes of an array."""
    digest = hashlib.sha256(files.npy_header(array))
    digest.update(array.data.cast("B"))
    return digest.hexdigest()


def read(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every shard that has one; lines that are none are left out."""
    path = folder / FILE
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    matches = map(_LINE.fullmatch, lines)
    return {match[2]: match[1] for match in matches if match}


def append(folder: Path, digests: Iterable[tuple[str, str]]) -> None:
    """Add shards and their SHA-256, flushed to the disk. Call as the only writer."""
    files.append(folder / FILE, _lines(digests))


def keep(folder: Path, shards: Collection[str]) -> None:
    """Write the file again with these shards alone. Call as the only writer."""
    digests = {key: value for key, value in read(folder).items() if key in shards}
    if digests or (folder / FILE).exists():
        write_text(folder / FILE, _lines(digests.items()))


def _lines(digests: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{digest}  {shard}\n" for shard, digest in digests)
