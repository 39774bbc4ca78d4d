"""manifest.csv <-> a table of text: read strictly, written atomically.

A user's table enters; a `Manifest` leaves, checked once so that later stages can
trust it. Every complaint names the file and the lines.
"""

import dataclasses
import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from kerasfaces import tables
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import write_text
from kerasfaces.core.texts import listed, near_hint, quoted
from kerasfaces.manifest.image_files import with_slashes
from kerasfaces.tables.columns import lines_text

logger = logging.getLogger(__name__)
LABELS = ("real", "fake")
SPLITS = ("train", "val", "test")
REQUIRED = ("path", "label")
NO_SOURCE = (
    "there is no column source, so the label stands in for it: all reals count as one "
    "source called real, all fakes as one called fake."
)
COLUMNS = (
    "path",
    "label",
    "source",
    "family",
    "split",
    "pair_id",
    "identity",
    "sha256",
    "width_px",
    "height_px",
    "format",
    "phash",
)


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A manifest in memory.

    Attributes:
        rows: One row per image in the file's order, RangeIndex; every column is text,
            missing is the empty string; at least path, label, source and split.
        folder: Folder that relative paths start from, absolute.
    """

    rows: pd.DataFrame
    folder: Path

    def __len__(self) -> int:
        return len(self.rows)

    def files(self) -> list[Path]:
        """Return the absolute path of every row's image."""
        return [Path(text) for text in absolute(self.rows["path"], self.folder)]

    def digest(self) -> str:
        """Return 64 hex digits that change whenever a row does.

        The folder counts only where a row's content is not pinned by its sha256, so that a
        complete data set may be moved.
        """
        text = to_csv(self.rows)
        if "sha256" not in self.rows or (self.rows["sha256"] == "").any():
            text += f"\n{self.folder}"
        return hashlib.sha256(text.encode()).hexdigest()

    def take(self, keep: Sequence[bool] | pd.Series) -> "Manifest":
        """Return the manifest with only the rows where `keep` is True."""
        return Manifest(self.rows[keep].reset_index(drop=True), self.folder)

    def assign(self, **columns: Iterable[str]) -> "Manifest":
        """Return the manifest with other columns, a text per row each."""
        texts = {name: pd.Series(list(v), dtype=str) for name, v in columns.items()}
        return Manifest(self.rows.assign(**texts), self.folder)


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something wrong with one row."""

    kind: str  # short name of the rule that was broken, e.g. `duplicate path`
    line: int  # of the manifest (1 = header), where the row starts
    path: str  # as written
    detail: str  # expected and actual value


def read(path: Path, root: Path | None = None) -> Manifest:
    """Read and check a manifest.

    Args:
        path: A table, e.g. a CSV file, with at least the columns path and label.
        root: Folder that relative paths start from; the file's own if None.

    Raises:
        MissingFileError: There is no such file.
        InputError: The content cannot be used; the message names file and lines.
    """
    manifest, _, findings = parse(path, root)
    if findings:
        raise InputError(f"{path}: {_summary(findings)}")
    return manifest


def parse(
    path: Path, root: Path | None = None
) -> tuple[Manifest, list[int], list[Finding]]:
    """Read a manifest and list what is wrong with single rows instead of raising.

    Returns:
        The manifest (with its bad values), each row's line number, the findings.

    Raises:
        MissingFileError: There is no such file.
        InputError: The file as a whole is no manifest (see `tables.read`).
    """
    source = tables.read(path, expected="a manifest (CSV)")
    frame = _our_names(source.frame())
    if lacking := [name for name in REQUIRED if name not in frame.columns]:
        raise InputError(f"{path}, line 1: {_lacking(lacking, source)}")
    source.require_rows()
    source.log_notes()
    if "source" not in frame:
        logger.warning("%s: %s", path, NO_SOURCE)
        frame.insert(list(frame.columns).index("label") + 1, "source", frame["label"])
    if "split" not in frame:
        frame.insert(list(frame.columns).index("source") + 1, "split", "")
    folder = absolute_folder(root or path.parent)
    frame["path"] = with_slashes(path, list(frame["path"]), folder)
    manifest = Manifest(frame, folder)
    return manifest, source.lines, _findings(manifest, source.lines)


def _our_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with our columns written as we write them."""
    lower = {name: name.lower() for name in frame.columns}
    names = {a: b for a, b in lower.items() if b in COLUMNS and b not in lower}
    unique = len(set(names.values())) == len(names)
    return frame.rename(columns=names) if unique else frame


def _lacking(columns: list[str], source: tables.Table) -> str:
    if source.images and "path" in columns:
        return (
            f"column {quoted(source.images[0])} holds the images themselves; write them out: "
            f"`Manifest.from_table({str(source.path)!r}, extract=DIR)`."
        )
    return (
        f"no column {' and no column '.join(columns)}; expected path, label and optionally "
        f"source and split, got {listed(source.header)}. A table with other names can be "
        "converted: `Manifest.from_table(TABLE, columns={'label': ...})`."
    )


def _one_line(text: str) -> bool:
    return text == text.strip() and not set(text) & set("\r\n\0")


_is_count = re.compile(r"([1-9][0-9]*)?").fullmatch
_is_hex = re.compile(r"([0-9a-f]{64})?").fullmatch
_RULES: dict[str, tuple[str, Callable[[str], object], str]] = {
    "missing path": (
        "path",
        lambda text: text.strip() and "\0" not in text,
        "the image's file name",
    ),
    "unknown label": ("label", LABELS.__contains__, "real or fake"),
    "missing source": ("source", str.strip, "a name"),
    "bad family": ("family", _one_line, "a name, or nothing for the source's own"),
    "unknown split": ("split", ("", *SPLITS).__contains__, "train, val or test"),
    "bad width_px": ("width_px", _is_count, "a whole number"),
    "bad height_px": ("height_px", _is_count, "a whole number"),
    "bad sha256": ("sha256", _is_hex, "64 lower-case hex digits"),
    "bad phash": ("phash", _is_hex, "64 lower-case hex digits"),
}


def _findings(manifest: Manifest, lines: Sequence[int]) -> list[Finding]:
    """Return what is wrong with single rows, and repeated paths."""
    rows, paths = manifest.rows, manifest.rows["path"].tolist()
    findings = [
        Finding(kind, lines[i], paths[i], f"expected {expected}, got {quoted(value)}.")
        for kind, (name, valid, expected) in _RULES.items()
        if name in rows
        for i, value in enumerate(rows[name].tolist())
        if not valid(value)
    ]
    first: dict[str, int] = {}
    for i, full in enumerate(absolute(rows["path"], manifest.folder)):
        if paths[i] and first.setdefault(full, i) != i:
            detail = f"{quoted(paths[i])} is already in line {lines[first[full]]}."
            findings.append(Finding("duplicate path", lines[i], paths[i], detail))
    return findings


def _summary(findings: Sequence[Finding]) -> str:
    """Return the first kind of finding as one sentence with its lines and the count."""
    kind, detail = findings[0].kind, findings[0].detail
    lines = [finding.line for finding in findings if finding.kind == kind]
    rest = len(findings) - len(lines)
    more = f" {rest} more of other kinds; kerasfaces manifest check lists all."
    return f"{kind} in {lines_text(lines)}: {detail}{more if rest else ''}"


def require_valid(manifest: Manifest, where: str) -> None:
    """Refuse a manifest made from elsewhere that `read` would refuse.

    Raises:
        InputError: With row numbers as lines (the first row is line 2).
    """
    if findings := _findings(manifest, range(2, len(manifest) + 2)):
        raise InputError(f"{where}: {_summary(findings)}")


def require_splits(split_names: Mapping[str, str]) -> None:
    """Refuse a mapping of split names to anything but ours."""
    if wrong := sorted(set(split_names.values()) - set(SPLITS)):
        names = ", ".join(SPLITS)
        raise InputError(f"`split_names`: {quoted(wrong[0])} is none of {names}.")


def select(
    manifest: Manifest, column: str, values: Sequence[str], *, exclude: bool = False
) -> Manifest:
    """Return the rows that have one of the values.

    Args:
        manifest: Rows to choose from.
        column: Name of a column.
        values: Values to look for; the empty text is an empty cell.
        exclude: Return the rows that have none of them instead.

    Raises:
        InputError: There is no such column or value, or no row is left.
    """
    rows = manifest.rows
    if column not in rows:
        raise InputError(
            f"no column {quoted(column)}; there are {listed(list(map(str, rows.columns)))}."
            + near_hint(column, map(str, rows.columns))
        )
    present = set(rows[column])
    absent = [value for value in values if value not in present]
    if absent and not exclude:
        raise InputError(
            f"no row has {column} {quoted(absent[0])}; there are {listed(sorted(present))}."
            + near_hint(absent[0], present)
        )
    matches = rows[column].isin(values) != exclude
    if not matches.any():
        raise InputError(f"{column}: the condition leaves no row.")
    return manifest.take(matches)


def write(manifest: Manifest, path: Path) -> None:
    """Write a manifest atomically as UTF-8 CSV.

    Paths become relative to the file's folder where they lie below it, absolute elsewhere.
    """
    prefix = os.path.join(os.path.abspath(path.parent), "")
    paths = absolute(manifest.rows["path"], manifest.folder)
    relative = [text.removeprefix(prefix) for text in paths]
    write_text(path, to_csv(manifest.rows.assign(path=relative)))


def to_csv(rows: pd.DataFrame) -> str:
    """Return text columns as CSV; only fields that need quotes get them."""
    lines = [",".join(map(_field, rows.columns))]
    columns = [list(map(_field, rows[name])) for name in rows.columns]
    lines += [",".join(record) for record in zip(*columns, strict=True)]
    return "\n".join(lines) + "\n"


def _field(text: str) -> str:
    """Quote one field where needed; spaces at the ends and bare CR survive too."""
    if text == "" or (text.strip() == text and not any(c in text for c in ',"\r\n')):
        return text
    return '"' + text.replace('"', '""') + '"'


def absolute(paths: pd.Series, folder: Path) -> list[str]:
    """Return the absolute form of paths that are relative to `folder`."""
    base = os.path.abspath(folder)
    return [os.path.normpath(os.path.join(base, text)) for text in paths]


def absolute_folder(folder: Path) -> Path:
    """Return a folder as manifests keep it: absolute, links left as they are."""
    return Path(os.path.abspath(folder))


def families(rows: pd.DataFrame) -> list[str]:
    """Return each row's family: sources that help to detect one another; else its source."""
    pairs = zip(column(rows, "family"), rows["source"], strict=True)
    return [family or source for family, source in pairs]


def column(rows: pd.DataFrame, name: str) -> list[str]:
    """Return a column's texts; empty texts when there is no such column."""
    return list(rows[name]) if name in rows else [""] * len(rows)
