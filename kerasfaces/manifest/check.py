"""manifest.csv -> findings, row by row; what training would trip over or believe wrongly."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from kerasfaces.core.texts import quoted
from kerasfaces.images import limits
from kerasfaces.manifest import contradictions, file_facts, groups, table
from kerasfaces.manifest.missing_files import MISSING
from kerasfaces.manifest.rules import LABELS, Finding
from kerasfaces.manifest.split import NEAR_DUPLICATES
from kerasfaces.manifest.table import Manifest, column

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
        root: What relative paths are relative to; the manifest's folder if None.
        near_duplicates: As in `split.assign`, for leaks between splits.

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
    known: Sequence[Finding] = (),
    near_duplicates: int | None = NEAR_DUPLICATES,
) -> list[Finding]:
    """Check rows and every file they name.

    Args:
        manifest: Any manifest.
        lines: Each row's line number.
        known: Findings about single rows that were made before.
        near_duplicates: See `check`.

    Returns:
        All findings, in the order of lines.
    """
    findings = list(known)
    facts = file_facts.scan(manifest.files())
    findings += _file_findings(manifest, lines, facts)
    told = Manifest(
        manifest.rows.assign(
            sha256=[each.sha256 for each in facts],
            phash=[each.phash for each in facts],
        ),
        manifest.folder,
    )
    findings += _content_findings(told, lines)
    findings += _source_findings(told, lines)
    findings += _leaks(told, lines, near_duplicates)
    findings += _missing_classes(told)
    said = contradictions.sentence(manifest.rows)
    if said:
        findings.append(Finding("labels against words", HEADER, "", said))
    return sorted(findings, key=lambda finding: finding.line)


def _file_findings(
    manifest: Manifest, lines: Sequence[int], facts: Sequence[file_facts.Facts]
) -> Iterator[Finding]:
    stated = column(manifest.rows, "sha256")
    for i, (path, each) in enumerate(zip(manifest.rows["path"], facts, strict=True)):
        if each.reason:
            kind = "missing" if each.reason == MISSING else "unreadable"
            yield Finding(kind, lines[i], path, f"{each.reason}.")
        if each.sha256 and stated[i] and each.sha256 != stated[i]:
            detail = f"the file is now {each.sha256[:12]}..., not {stated[i][:12]}..."
            yield Finding("stale sha256", lines[i], path, detail)
        n_frames, form = each.probe.get("n_frames", 1), each.probe.get("format", "")
        size = each.probe.get("width_px", 0), each.probe.get("height_px", 0)
        if not each.reason and min(size) < limits.SMALLEST_PX:
            detail = f"{size[0]}x{size[1]} px; no detector judges what has fewer than "
            detail += f"{limits.SMALLEST_PX} px on a side."
            yield Finding("too small", lines[i], path, detail)
        if n_frames > 1 and form in _SEVERAL:
            kind, what = _SEVERAL[form]
            detail = f"{n_frames} {what}; only the first is read."
            yield Finding(kind, lines[i], path, detail)


def _content_findings(manifest: Manifest, lines: Sequence[int]) -> Iterator[Finding]:
    rows = manifest.rows
    labels, paths = list(rows["label"]), list(rows["path"])
    for first, second in groups.equal(column(rows, "sha256")):
        same = f"same content as line {lines[first]} ({quoted(paths[first])})"
        if labels[first] != labels[second]:
            detail = f"{same}, there {labels[first]}, here {labels[second]}."
            yield Finding("label conflict", lines[second], paths[second], detail)
        else:
            yield Finding("duplicate content", lines[second], paths[second], f"{same}.")


def _source_findings(manifest: Manifest, lines: Sequence[int]) -> Iterator[Finding]:
    """Find sources under both labels; report the rows of the rarer label."""
    rows = manifest.rows
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
            yield Finding("label conflict", lines[i], rows["path"][i], detail)


def _leaks(
    manifest: Manifest, lines: Sequence[int], max_distance: int | None
) -> Iterator[Finding]:
    rows = manifest.rows
    splits, paths = list(rows["split"]), list(rows["path"])
    if not any(splits):
        return
    for line, path, split in zip(lines, paths, splits, strict=True):
        if not split:
            yield Finding("no split", line, path, "other rows have one.")
    reported: defaultdict[int, set[int]] = defaultdict(set)
    for rule, pairs in groups.edges(manifest, max_distance).items():
        for first, second in pairs.tolist():
            same = splits[first] == splits[second]
            if same or not (splits[first] and splits[second]):
                continue
            if first in reported[second]:
                continue
            reported[second].add(first)
            detail = (
                f"in {splits[second]}, but {rule.replace('_', ' ')} joins it to line "
                f"{lines[first]} ({quoted(paths[first])}) in {splits[first]}."
            )
            yield Finding("split leak", lines[second], paths[second], detail)


def _missing_classes(manifest: Manifest) -> Iterator[Finding]:
    rows = manifest.rows
    used = [
        split for split in ("train", "val", "test") if (rows["split"] == split).any()
    ]
    for split in used or [""]:
        part = rows[rows["split"] == split]
        for label in LABELS:
            if not (part["label"] == label).any():
                where = f"split {split}" if split else "the manifest"
                yield Finding(
                    "class missing", HEADER, "", f"no {label} row in {where}."
                )
