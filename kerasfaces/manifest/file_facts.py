"""Files -> what each of them holds, read in worker processes."""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from kerasfaces import images
from kerasfaces.core import engine
from kerasfaces.core.errors import ImageError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest.table import Manifest, column

logger = logging.getLogger(__name__)
_NAMED = 5  # reasons given in one log line


@dataclasses.dataclass(frozen=True)
class Facts:
    """What one file holds.

    Attributes:
        sha256: Of the file's bytes; empty when they could not be read.
        probe: Facts of `images.probe`; empty when it is not an image.
        phash: Perceptual hash; empty when it was not asked for or cannot be made.
        reason: Why the file has no pixels; empty when it has.
    """

    sha256: str = ""
    probe: images.Probe = dataclasses.field(default_factory=images.Probe)
    phash: str = ""
    reason: str = ""

    def columns(self) -> dict[str, str]:
        """Return the manifest columns this file fills; empty where it is unreadable."""
        readable = not self.reason
        return {
            "sha256": self.sha256,
            "width_px": str(self.probe["width_px"]) if readable else "",
            "height_px": str(self.probe["height_px"]) if readable else "",
            "format": self.probe["format"] if readable else "",
            "phash": self.phash if readable else "",
        }


def scan(files: Sequence[Path]) -> list[Facts]:
    """Decode every file once and return its facts, in order."""
    return _facts(examine, files, "reading images")


def scan_headers(files: Sequence[Path]) -> list[Facts]:
    """Return facts without decoding pixels: no perceptual hash, truncation unnoticed."""
    return _facts(examine_header, files, "reading file facts")


def _facts(
    task: Callable[[Path], Facts], files: Sequence[Path], label: str
) -> list[Facts]:
    outcomes = engine.map(task, files, progress=label, chunk=engine.CHUNK)
    crashed = Facts(reason=images.DECODER_CRASHED)
    return [outcome.value or crashed for outcome in outcomes]


def examine(file: Path) -> Facts:
    """Return the facts of one file, pixels included."""
    from kerasfaces.manifest.phash import phash

    facts, data = _header(file)
    if facts.reason:
        return facts
    try:
        return dataclasses.replace(facts, phash=phash(images.decode(data)))
    except ImageError as error:
        return dataclasses.replace(facts, reason=str(error))


def examine_header(file: Path) -> Facts:
    """Return the facts of one file that its header tells."""
    return _header(file)[0]


def _header(file: Path) -> tuple[Facts, bytes]:
    digest, data = "", b""
    try:
        data = images.read_file(file)
        digest = images.sha256(data)
        return Facts(sha256=digest, probe=images.probe(data)), data
    except ImageError as error:
        return Facts(sha256=digest, reason=str(error)), data


def complete(manifest: Manifest) -> tuple[Manifest, int]:
    """Scan the rows without a perceptual hash and fill in what they lack.

    Cells that hold something keep it.

    Returns:
        The manifest, and how many of the files just scanned are unreadable.
    """
    lacking, files = _lacking(manifest, "phash")
    if not lacking:
        return manifest, 0
    facts = scan(files)
    paths = [manifest.rows["path"][i] for i in lacking]
    n_unreadable = report_unreadable(paths, facts)
    return _filled(manifest, lacking, facts, list(facts[0].columns())), n_unreadable


def hashed(manifest: Manifest) -> Manifest:
    """Fill in the `sha256` of rows that lack it; it stays empty where a file is unreadable."""
    lacking, files = _lacking(manifest, "sha256")
    facts = scan_headers(files) if files else []
    return _filled(manifest, lacking, facts, ["sha256"])


def _lacking(manifest: Manifest, name: str) -> tuple[list[int], list[Path]]:
    """Return the numbers and the files of the rows with nothing in a column."""
    lacking = [i for i, text in enumerate(column(manifest.rows, name)) if not text]
    files = manifest.files() if lacking else []
    return lacking, [files[i] for i in lacking]


def _filled(
    manifest: Manifest, lacking: Sequence[int], facts: Sequence[Facts], names: list[str]
) -> Manifest:
    cells = [each.columns() for each in facts]
    filled = {}
    for name in names:
        values = column(manifest.rows, name)
        for i, each in zip(lacking, cells, strict=True):
            values[i] = values[i] or each[name]
        filled[name] = pd.Series(values, dtype=str)
    return Manifest(manifest.rows.assign(**filled), manifest.folder)


def report_unreadable(paths: Sequence[str], facts: Sequence[Facts]) -> int:
    """Log how many files are unreadable, by reason with a name each; return how many."""
    bad: dict[str, list[str]] = {}
    for path, each in zip(paths, facts, strict=True):
        if each.reason:
            bad.setdefault(each.reason, []).append(path)
    n_bad = sum(map(len, bad.values()))
    if bad:
        reasons = sorted(bad, key=lambda reason: -len(bad[reason]))
        named = [
            f"{reason} ({len(bad[reason])}, e.g. {quoted(bad[reason][0])})"
            if len(bad[reason]) > 1
            else f"{quoted(bad[reason][0])}: {reason}"
            for reason in reasons[:_NAMED]
        ]
        logger.warning(
            "%d of %d images are unreadable and stay in as rows without size: %s%s",
            n_bad,
            len(facts),
            "; ".join(named),
            "; ..." if len(reasons) > _NAMED else "",
        )
    return n_bad
