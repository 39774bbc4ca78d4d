"""Is a store whole? And what is not, made ready to be computed again.

`verify` reads every shard, compares it with its checksum and changes nothing. `repair` takes the rows of damaged shards
out of the index, so that the next run computes them again, and moves the damaged files
aside; arrays that are whole stay where they are.
"""

import csv
import dataclasses
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import store
from kerasfaces.core import folders
from kerasfaces.core.errors import StoreError
from kerasfaces.core.files import sha256, write_text
from kerasfaces.store import checksums, files

ASIDE = "set_aside"  # the folder inside a store for what `repair` takes out of it
_ROWS_AT_ONCE = 16
Advance = Callable[[int], None]


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something wrong: the file, what is wrong with it, and images that are affected."""

    file: str
    problem: str
    keys: tuple[str, ...] = ()

    def text(self) -> str:
        """Return one line."""
        images = f" ({len(self.keys)} images)" if self.keys else ""
        return f"{self.file}: {self.problem}{images}"


def shards_of(found: store.Store) -> dict[str, list[str]]:
    """Return the keys of every shard that the index names."""
    shards: dict[str, list[str]] = {}
    for key, entry in found.entries.items():
        if entry.status == store.OK:
            shards.setdefault(entry.shard, []).append(key)
    return shards


def verify(folder: Path, advance: Advance = lambda n: None) -> list[Finding]:
    """Read a whole store.

    Args:
        folder: The store.
        advance: Told about every image that was looked at.

    Raises:
        MissingFileError: There is no store.
        StoreError: It is of another format, or its index is no index.
    """
    found = store.Store(folder)
    shards = shards_of(found)
    sums = checksums.read(folder)
    findings = []
    for shard, keys in sorted(shards.items()):
        problem = _problem(found, shard, keys, sums.get(shard))
        if problem:
            findings.append(Finding(shard, problem, tuple(keys)))
        advance(len(keys))
    return findings + list(_strays(folder, shards))


def unhashed(folder: Path) -> list[str]:
    """Return the shards that SHA256SUMS lacks, after it was damaged or lost."""
    sums = checksums.read(folder)
    return sorted(
        shard for shard in shards_of(store.Store(folder)) if shard not in sums
    )


def repair(folder: Path, advance: Advance = lambda n: None) -> list[Finding]:
    """Make a damaged store usable; the next run computes what is lost.

    Shards without a checksum get that of what they hold now.

    Returns:
        What was wrong.

    Raises:
        LockedError: Another process is writing the store.
        StoreError: Its `store.json` is unusable: nothing can be kept.
    """
    with folders.lock(folder, "store"):
        files.mend(folder)
        bad_lines = _drop_bad_lines(folder / "index.csv")
        findings = verify(folder, advance)
        lost = {key for finding in findings for key in finding.keys}
        if lost:
            _drop(folder / "index.csv", lost)
        for name in sorted({finding.file for finding in findings}):
            path = folder / name
            if path.exists():
                (folder / ASIDE).mkdir(exist_ok=True)
                path.replace(folder / ASIDE / name)
        _complete_checksums(folder)
    return bad_lines + findings


def _complete_checksums(folder: Path) -> None:
    """Leave one checksum for every shard of the index, and no other."""
    checksums.keep(folder, shards_of(store.Store(folder)))
    lacking = unhashed(folder)
    if lacking:
        checksums.append(folder, [(shard, sha256(folder / shard)) for shard in lacking])


def _problem(
    found: store.Store, shard: str, keys: list[str], checksum: str | None
) -> str:
    """Say what is wrong with a shard; empty if nothing is."""
    path = found.folder / shard
    rows = [found.entries[key].row for key in keys]
    try:
        # First, for a file that is shorter or longer than its header says.
        problem = files.size_problem(path, max(rows) + 1)
        if problem:
            return problem
        array = files.open_shard(path)
    except (OSError, ValueError, EOFError) as error:
        return f"is damaged ({error})"
    if array.shape[1:] != found.shape or array.dtype != found.dtype:
        return (
            f"holds {array.dtype} {array.shape[1:]}, store.json says {found.dtype} "
            f"{found.shape}"
        )
    if len({*rows}) < len(rows) or min(rows) < 0:
        return f"has {len(array)} rows, the index names {len(rows)} that do not fit"
    if array.dtype.kind == "f" and not _finite(array):
        return "holds values that are not finite"
    if checksum is not None and sha256(path) != checksum:
        return "is damaged (it does not match its checksum)"
    return ""


def _finite(array: NDArray[Any]) -> bool:
    return all(
        bool(np.isfinite(array[at : at + _ROWS_AT_ONCE]).all())
        for at in range(0, len(array), _ROWS_AT_ONCE)
    )


def _strays(folder: Path, shards: Mapping[str, object]) -> Iterator[Finding]:
    for path in sorted(folder.glob("*.npy")):
        if path.name not in shards and not path.name.startswith("."):
            yield Finding(path.name, "is not in the index")
    for path in sorted(folder.glob(".*.tmp.*")):
        yield Finding(path.name, "was left by a writer that was killed")


def _drop_bad_lines(path: Path) -> list[Finding]:
    """Keep the lines of the index that can be read; return a finding per other line."""
    kept, findings = [files.HEADER], []
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if number == 1:
            continue
        if _readable(line):
            kept.append(line)
        else:
            findings.append(Finding(path.name, f"line {number} cannot be read"))
    if findings:
        write_text(path, "".join(kept))
    return findings


def _readable(line: str) -> bool:
    """Tell whether a line is the index's; U+FFFD stands for bytes that are no UTF-8."""
    try:
        _, _, row, _ = next(csv.reader([line]))
        int(row)
    except (ValueError, csv.Error):
        return False
    return "\ufffd" not in line


def _drop(path: Path, keys: set[str]) -> None:
    """Write the index again without the rows of `keys`."""
    text = path.read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text)))
    if not rows:
        raise StoreError(f"{path} is empty; make the store again.")
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [rows[0], *(row for row in rows[1:] if row[0] not in keys)]
    )
    write_text(path, out.getvalue())
