"""Files -> what each of them holds, read in worker processes."""

import dataclasses
import functools
import logging
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import images
from kerasfaces.core import engine
from kerasfaces.core.errors import ImageError
from kerasfaces.core.texts import quoted
from kerasfaces.images import sharpness
from kerasfaces.manifest.groups import phash
from kerasfaces.manifest.table import Manifest, column

logger = logging.getLogger(__name__)
_NAMED = 5  # reasons given in one log line


@dataclasses.dataclass(frozen=True)
class Facts:
    """What one file holds; what cannot be read is empty."""

    sha256: str = ""
    probe: images.Probe = dataclasses.field(default_factory=images.Probe)
    phash: str = ""  # empty, too, when the pixels were not looked at
    sharpness: dict[str, float] = dataclasses.field(default_factory=dict)  # likewise
    reason: str = ""  # why the file has no pixels

    def columns(self) -> dict[str, str]:
        """Return the manifest columns this file fills."""
        facts = {} if self.reason else {**self.probe, "phash": self.phash}
        names = ("width_px", "height_px", "format", "phash")
        return {
            "sha256": self.sha256,
            **{name: str(facts.get(name, "")) for name in names},
        }


def scan(
    files: Sequence[Path], *, pixels: bool = True, sharp: bool = False
) -> list[Facts]:
    """Return every file's facts, in order.

    Args:
        files: Absolute paths.
        pixels: Compute the perceptual hash.
        sharp: Compute the numbers of `images.sharpness`. Without either nothing is decoded,
            and truncation goes unnoticed.
    """
    what = "reading images" if pixels or sharp else "reading file facts"
    outcomes = engine.map(
        functools.partial(_examine, pixels=pixels, sharp=sharp),
        files,
        progress=what if files else None,
        chunk=engine.CHUNK,
    )
    crashed = Facts(reason=images.DECODER_CRASHED)
    return [outcome.value or crashed for outcome in outcomes]


def _examine(file: Path, pixels: bool, sharp: bool) -> Facts:
    facts = Facts()
    try:
        data = images.read_file(file)
        facts = Facts(sha256=images.sha256(data))
        facts = dataclasses.replace(facts, probe=images.probe(data))
        if pixels or sharp:
            image = images.decode(data)
            if pixels:
                facts = dataclasses.replace(facts, phash=phash(image))
            if sharp:
                facts = dataclasses.replace(facts, sharpness=sharpness.measure(image))
    except ImageError as error:
        return dataclasses.replace(facts, reason=str(error))
    return facts


def complete(manifest: Manifest) -> tuple[Manifest, int]:
    """Scan the rows without a perceptual hash and fill in what they lack.

    Cells that hold something keep it.

    Returns:
        The manifest, and how many of the files just scanned are unreadable.
    """
    at = _without(manifest, "phash")
    files, paths = manifest.files(), list(manifest.rows["path"])
    facts = scan([files[i] for i in at])
    columns = {name: column(manifest.rows, name) for name in Facts().columns()}
    for i, each in zip(at, facts, strict=True):
        for name, text in each.columns().items():
            columns[name][i] = columns[name][i] or text
    reasons = [each.reason for each in facts]
    n_unreadable = report_unreadable([paths[i] for i in at], reasons)
    return manifest.assign(**columns) if at else manifest, n_unreadable


def hashed(manifest: Manifest) -> Manifest:
    """Fill in the `sha256` of rows that lack it; it stays empty where a file is unreadable."""
    at, files = _without(manifest, "sha256"), manifest.files()
    digests = column(manifest.rows, "sha256")
    for i, each in zip(at, scan([files[i] for i in at], pixels=False), strict=True):
        digests[i] = each.sha256
    return manifest.assign(sha256=digests) if at else manifest


def filled(manifest: Manifest, facts: Sequence[Facts]) -> Manifest:
    """Return the manifest with the facts of its files, in place of those it has."""
    columns = [each.columns() for each in facts]
    return manifest.assign(**{n: [each[n] for each in columns] for n in columns[0]})


def _without(manifest: Manifest, name: str) -> list[int]:
    """Return the rows whose cell of a column is empty."""
    return [i for i, text in enumerate(column(manifest.rows, name)) if not text]


def report_unreadable(paths: Sequence[str], reasons: Sequence[str]) -> int:
    """Log how many files have a reason, by reason with a name each; return how many."""
    bad: dict[str, list[str]] = {}
    for path, reason in zip(paths, reasons, strict=True):
        if reason:
            bad.setdefault(reason, []).append(path)
    n_bad = sum(map(len, bad.values()))
    if bad:
        named = [
            f"{reason} ({len(those)}, e.g. {quoted(those[0])})"
            if len(those) > 1
            else f"{quoted(those[0])}: {reason}"
            for reason, those in sorted(bad.items(), key=lambda item: -len(item[1]))
        ]
        logger.warning(
            "%d of %d images are unreadable and stay in as rows without size: %s%s",
            n_bad,
            len(reasons),
            "; ".join(named[:_NAMED]),
            "; ..." if len(named) > _NAMED else "",
        )
    return n_bad
