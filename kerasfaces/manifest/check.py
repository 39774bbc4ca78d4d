"""manifest.csv -> findings, row by row; what training would trip over or believe wrongly."""

import itertools
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
Remark = tuple[int, str, str]  # number of the row, kind and detail of the finding


def check(path: Path, root: Path | None = None) -> tuple[Manifest, list[Finding]]:
    """Return a manifest, read as `table.parse` does, and its findings (`findings_of`)."""
    manifest, lines, findings = table.parse(path, root)
    return manifest, findings_of(manifest, lines, findings)


def findings_of(
    manifest: Manifest,
    lines: Sequence[int],
    row_findings: Sequence[Finding] = (),
    near_duplicates: int | None = NEAR_DUPLICATES,
) -> list[Finding]:
    """Return all findings about rows and the files they name, in the order of lines.

    `row_findings` are those about single rows that are there already.
    """
    facts = file_facts.scan(manifest.files())
    rows = manifest.rows.assign(
        line=lines,
        sha256=[each.sha256 for each in facts],
        phash=[each.phash for each in facts],
    )
    remarks = itertools.chain(
        _of_files(column(manifest.rows, "sha256"), facts),
        _of_contents(rows),
        _of_sources(rows),
        _of_families(rows),
        _leaks(Manifest(rows, manifest.folder), near_duplicates),
    )
    findings = [
        Finding(kind, lines[i], rows["path"][i], detail) for i, kind, detail in remarks
    ]
    whole = [("class missing", detail) for detail in _missing_classes(rows)]
    if contradiction := contradictions.sentence(manifest.rows):
        whole.append(("labels against words", contradiction))
    findings += [Finding(kind, HEADER, "", detail) for kind, detail in whole]
    return sorted([*row_findings, *findings], key=lambda finding: finding.line)


def _of_files(
    stated: Sequence[str], facts: Sequence[file_facts.Facts]
) -> Iterator[Remark]:
    for i, each in enumerate(facts):
        if each.reason:
            kind = "missing" if each.reason == MISSING else "unreadable"
            yield i, kind, f"{each.reason}."
        if each.sha256 and stated[i] and each.sha256 != stated[i]:
            detail = f"the file is now {each.sha256[:12]}..., not {stated[i][:12]}..."
            yield i, "stale sha256", detail
        size = each.probe.get("width_px", 0), each.probe.get("height_px", 0)
        if not each.reason and min(size) < limits.SMALLEST_PX:
            detail = f"{size[0]}x{size[1]} px; no detector judges what has fewer than "
            yield i, "too small", f"{detail}{limits.SMALLEST_PX} px on a side."
        n_frames, form = each.probe.get("n_frames", 1), each.probe.get("format", "")
        if n_frames > 1 and form in _SEVERAL:
            kind, what = _SEVERAL[form]
            yield i, kind, f"{n_frames} {what}; only the first is read."


def _of_contents(rows: pd.DataFrame) -> Iterator[Remark]:
    labels, paths, lines = (list(rows[name]) for name in ("label", "path", "line"))
    for first, second in groups.equal(list(rows["sha256"])).tolist():
        same = f"same content as line {lines[first]} ({quoted(paths[first])})"
        if labels[first] != labels[second]:
            detail = f"{same}, there {labels[first]}, here {labels[second]}."
            yield second, "label conflict", detail
        else:
            yield second, "duplicate content", f"{same}."


def _of_sources(rows: pd.DataFrame) -> Iterator[Remark]:
    """Find sources under both labels; report the rows of the rarer label."""
    pairs = list(zip(rows["source"], rows["label"], strict=True))
    counts = Counter(pairs)
    for i, (source, label) in enumerate(pairs):
        other = LABELS[label == "real"]
        n, n_other = counts[source, label], counts[source, other]
        if label in LABELS and n_other and (n, label) < (n_other, other):
            detail = (
                f"source {quoted(source)} is {label} here and {other} in other rows."
            )
            yield i, "label conflict", detail


def _of_families(rows: pd.DataFrame) -> Iterator[Remark]:
    """Find sources that are split over several families."""
    if "family" not in rows:
        return
    first: dict[tuple[str, str], int] = {}
    families, lines = table.families(rows), list(rows["line"])
    for i, key in enumerate(zip(rows["source"], rows["label"], strict=True)):
        earlier = first.setdefault(key, i)
        if families[i] != families[earlier]:
            detail = (
                f"source {quoted(key[0])} is of family {quoted(families[i])} here and of "
                f"{quoted(families[earlier])} in line {lines[earlier]}."
            )
            yield i, "family conflict", detail


def _leaks(manifest: Manifest, max_distance: int | None) -> Iterator[Remark]:
    names = ("split", "path", "line")
    splits, paths, lines = (list(manifest.rows[name]) for name in names)
    if not any(splits):
        return
    for i, split in enumerate(splits):
        if not split:
            yield i, "no split", "other rows have one."
    reported: set[tuple[int, int]] = set()
    for rule, pairs in groups.edges(manifest, max_distance).items():
        for first, second in pairs.tolist():
            torn = splits[first] and splits[second] and splits[first] != splits[second]
            if torn and (first, second) not in reported:
                reported.add((first, second))
                detail = (
                    f"in {splits[second]}, but {rule.replace('_', ' ')} joins it to line "
                    f"{lines[first]} ({quoted(paths[first])}) in {splits[first]}."
                )
                yield second, "split leak", detail


def _missing_classes(rows: pd.DataFrame) -> Iterator[str]:
    for split in [name for name in SPLITS if (rows["split"] == name).any()] or [""]:
        labels = set(rows["label"][rows["split"] == split])
        where = f"split {split}" if split else "the manifest"
        for label in LABELS:
            if label not in labels:
                yield f"no {label} row in {where}."
