"""manifest.csv -> findings, row by row; what training would trip over or believe wrongly."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from kerasfaces.core.texts import quoted
from kerasfaces.images import limits
from kerasfaces.manifest import contradictions, file_facts, groups, table
from kerasfaces.manifest.image_files import MISSING
from kerasfaces.manifest.split import NEAR_DUPLICATES
from kerasfaces.manifest.table import LABELS, SPLITS, Finding, Manifest, column

# What further pictures in a file are. Not so in phone photos (MPO): there they are depth
# or brightness maps of the one picture; nor in PSD: there they are its layers.
_SEVERAL = {
    **dict.fromkeys(("GIF", "PNG", "WEBP", "AVIF"), ("animated", "frames")),
    **dict.fromkeys(("TIFF", "HEIF"), ("several pictures", "pictures in one file")),
}
HEADER = 1  # findings about the whole table are reported at the header's line


def check(
    path: Path,
    root: Path | None = None,
    near_duplicates: int | None = NEAR_DUPLICATES,
) -> tuple[Manifest, list[Finding]]:
    """Check a manifest and every file it names.

    Args:
        path: The manifest.
        root: Folder that relative paths start from; the manifest's own if None.
        near_duplicates: Largest distance of near-duplicates, in bits, as in `split.assign`.

    Returns:
        The manifest and the findings, in the order of lines.

    Raises:
        MissingFileError: There is no such file.
        InputError: The file as a whole is no manifest.
    """
    manifest, lines, findings = table.parse(path, root)
    return manifest, findings_of(manifest, lines, findings, near_duplicates)


def findings_of(
    manifest: Manifest,
    lines: Sequence[int],
    row_findings: Sequence[Finding] = (),
    near_duplicates: int | None = NEAR_DUPLICATES,
) -> list[Finding]:
    """Return all findings about rows and the files they name, in the order of lines.

    Args:
        manifest: Rows to check.
        lines: Each row's line number.
        row_findings: Findings about single rows that are there already.
        near_duplicates: Largest distance of near-duplicates, in bits.
    """
    facts = file_facts.scan(manifest.files())
    rows = manifest.rows.assign(
        line=lines,
        sha256=[each.sha256 for each in facts],
        phash=[each.phash for each in facts],
    )
    findings = [
        *row_findings,
        *_file_findings(rows, column(manifest.rows, "sha256"), facts),
        *_content_findings(rows),
        *_source_findings(rows),
        *_leaks(Manifest(rows, manifest.folder), near_duplicates),
        *_missing_classes(rows),
    ]
    if contradiction := contradictions.sentence(manifest.rows):
        findings.append(Finding("labels against words", HEADER, "", contradiction))
    return sorted(findings, key=lambda finding: finding.line)


def _at(rows: pd.DataFrame, i: int, kind: str, detail: str) -> Finding:
    return Finding(
        kind, int(rows["line"].to_numpy()[i]), str(rows["path"].to_numpy()[i]), detail
    )


def _file_findings(
    rows: pd.DataFrame, stated: Sequence[str], facts: Sequence[file_facts.Facts]
) -> Iterator[Finding]:
    for i, each in enumerate(facts):
        if each.reason:
            kind = "missing" if each.reason == MISSING else "unreadable"
            yield _at(rows, i, kind, f"{each.reason}.")
        if each.sha256 and stated[i] and each.sha256 != stated[i]:
            detail = f"the file is now {each.sha256[:12]}..., not {stated[i][:12]}..."
            yield _at(rows, i, "stale sha256", detail)
        n_frames, form = each.probe.get("n_frames", 1), each.probe.get("format", "")
        size = each.probe.get("width_px", 0), each.probe.get("height_px", 0)
        if not each.reason and min(size) < limits.SMALLEST_PX:
            detail = f"{size[0]}x{size[1]} px; no detector judges what has fewer than "
            detail += f"{limits.SMALLEST_PX} px on a side."
            yield _at(rows, i, "too small", detail)
        if n_frames > 1 and form in _SEVERAL:
            kind, what = _SEVERAL[form]
            yield _at(rows, i, kind, f"{n_frames} {what}; only the first is read.")


def _content_findings(rows: pd.DataFrame) -> Iterator[Finding]:
    labels, paths, lines = (list(rows[name]) for name in ("label", "path", "line"))
    for first, second in groups.equal(list(rows["sha256"])):
        same = f"same content as line {lines[first]} ({quoted(paths[first])})"
        if labels[first] != labels[second]:
            detail = f"{same}, there {labels[first]}, here {labels[second]}."
            yield _at(rows, second, "label conflict", detail)
        else:
            yield _at(rows, second, "duplicate content", f"{same}.")


def _source_findings(rows: pd.DataFrame) -> Iterator[Finding]:
    """Find sources under both labels; report the rows of the rarer label."""
    pairs = list(zip(rows["source"], rows["label"], strict=True))
    counts = Counter(pairs)
    for i, (source, label) in enumerate(pairs):
        other = LABELS[label == "real"]
        if label not in LABELS or not counts[source, other]:
            continue
        if (counts[source, label], label) < (counts[source, other], other):
            detail = (
                f"source {quoted(source)} is {label} here and {other} in other rows."
            )
            yield _at(rows, i, "label conflict", detail)


def _leaks(manifest: Manifest, max_distance: int | None) -> Iterator[Finding]:
    rows = manifest.rows
    splits, paths, lines = (list(rows[name]) for name in ("split", "path", "line"))
    if not any(splits):
        return
    for i, split in enumerate(splits):
        if not split:
            yield _at(rows, i, "no split", "other rows have one.")
    reported: set[tuple[int, int]] = set()
    for rule, pairs in groups.edges(manifest, max_distance).items():
        for first, second in pairs.tolist():
            same = splits[first] == splits[second]
            unsplit = not (splits[first] and splits[second])
            if same or unsplit or (first, second) in reported:
                continue
            reported.add((first, second))
            detail = (
                f"in {splits[second]}, but {rule.replace('_', ' ')} joins it to line "
                f"{lines[first]} ({quoted(paths[first])}) in {splits[first]}."
            )
            yield _at(rows, second, "split leak", detail)


def _missing_classes(rows: pd.DataFrame) -> Iterator[Finding]:
    for split in [name for name in SPLITS if (rows["split"] == name).any()] or [""]:
        part = rows[rows["split"] == split]
        for label in LABELS:
            if not (part["label"] == label).any():
                where = f"split {split}" if split else "the manifest"
                yield Finding(
                    "class missing", HEADER, "", f"no {label} row in {where}."
                )
