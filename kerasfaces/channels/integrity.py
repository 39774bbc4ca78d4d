"""Is a store whole? And what is not, made ready to be computed again.

`verify` reads every shard, compares it with its checksum and changes nothing. `repair`
takes the rows of damaged shards out of the index, so that the next run computes them
again, and moves the damaged files aside; arrays that are whole stay where they are.
"""

import csv
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import store
from kerasfaces.core import folders
from kerasfaces.core.files import sha256, write_text
from kerasfaces.store import checksums, files

ASIDE = "set_aside"  # the folder inside a store for what `repair` takes out of it
_ROWS_AT_ONCE = 16
Advance = Callable[[int], None]  # receives the number of images that were looked at


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


def verify(folder: Path, advance: Advance = lambda n: None) -> list[Finding]:
    """Read a whole store.

    Raises:
        MissingFileError: There is no store.
        StoreError: It is of another format, or its index is no index.
    """
    opened = store.Store(folder)
    shards = _shards_of(opened)
    sums = checksums.read(folder)
    findings = []
    for shard, keys in sorted(shards.items()):
        problem = _problem(opened, shard, keys, sums.get(shard))
        if problem:
            findings.append(Finding(shard, problem, tuple(keys)))
        advance(len(keys))
    return [*findings, *_strays(folder, shards)]


def unhashed(folder: Path) -> list[str]:
    """Return the shards that SHA256SUMS lacks, after it was damaged or lost."""
    return sorted(_shards_of(store.Store(folder)).keys() - checksums.read(folder))


def repair(folder: Path, advance: Advance = lambda n: None) -> list[Finding]:
    """Make a damaged store usable and return what was wrong.

    The next run computes what is lost. Shards without a checksum get that of what they
    hold now.

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
        # One checksum for every shard of the index, and no other.
        checksums.keep(folder, _shards_of(store.Store(folder)))
        lacking = [(shard, sha256(folder / shard)) for shard in unhashed(folder)]
        if lacking:
            checksums.append(folder, lacking)
    return bad_lines + findings


def _shards_of(opened: store.Store) -> dict[str, list[str]]:
    """Return the keys of every shard that the index names."""
    shards: dict[str, list[str]] = {}
    for key, entry in opened.entries.items():
        if entry.status == store.OK:
            shards.setdefault(entry.shard, []).append(key)
    return shards


def _problem(
    opened: store.Store, shard: str, keys: list[str], checksum: str | None
) -> str:
    """Say what is wrong with a shard; empty if nothing is."""
    path = opened.folder / shard
    rows = [opened.entries[key].row for key in keys]
    try:
        # First, for a file that is shorter or longer than its header says.
        problem = files.size_problem(path, max(rows) + 1)
        if problem:
            return problem
        array = files.open_shard(path)
    except (OSError, ValueError, EOFError) as error:
        return f"is damaged ({error})"
    if array.shape[1:] != opened.shape or array.dtype != opened.dtype:
        return (
            f"holds {array.dtype} {array.shape[1:]}, store.json says {opened.dtype} "
            f"{opened.shape}"
        )
    if len({*rows}) < len(rows) or min(rows) < 0:
        return f"has {len(array)} rows, the index names {len(rows)} that do not fit"
    if array.dtype.kind == "f" and not _finite(array):
        return "holds values that are not finite"
    if checksum is not None and sha256(path) != checksum:
        return "is damaged (it does not match its checksum)"
    return ""


def _finite(array: NDArray[Any]) -> bool:
    parts = range(0, len(array), _ROWS_AT_ONCE)
    return all(np.isfinite(array[at : at + _ROWS_AT_ONCE]).all() for at in parts)


def _strays(folder: Path, shards: Mapping[str, object]) -> Iterator[Finding]:
    for path in sorted(folder.glob("*.npy")):
        if path.name not in shards and not path.name.startswith("."):
            yield Finding(path.name, "is not in the index")
    for path in sorted(folder.glob(".*.tmp.*")):
        yield Finding(path.name, "was left by a writer that was killed")


def _drop_bad_lines(path: Path) -> list[Finding]:
    """Leave the lines of the index that can be read; return a finding per other line."""
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = text.splitlines(keepends=True)[1:]
    bad = [number for number, line in enumerate(lines, 2) if not _readable(line)]
    if bad:
        good = [line for number, line in enumerate(lines, 2) if number not in bad]
        write_text(path, "".join([files.HEADER, *good]))
    return [Finding(path.name, f"line {number} cannot be read") for number in bad]


def _readable(line: str) -> bool:
    """Tell whether a line is the index's; U+FFFD stands for bytes that are no UTF-8."""
    try:
        _, _, row, _ = next(csv.reader([line]))
        int(row)
    except (ValueError, csv.Error):
        return False
    return "\ufffd" not in line


def _drop(path: Path, keys: set[str]) -> None:
    """Write the index again without the rows of `keys`, which stand first in a line."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rows = zip(lines, csv.reader(lines), strict=True)
    write_text(path, "".join(line for line, row in rows if row[0] not in keys))
