"""manifest.csv <-> a table of text: read strictly, written atomically.

A user's CSV file enters; a `Manifest` leaves, checked once so that later stages can
trust it. Every complaint names the file and the lines.
"""

import csv
import dataclasses
import hashlib
import io
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kerasfaces import runs
from kerasfaces.errors import InputError, MissingFileError
from kerasfaces.manifest.rules import Finding, lines_text, row_findings, summary

REQUIRED = ("path", "label", "source")
COLUMNS = (
    "path",
    "label",
    "source",
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
        folder: What relative paths are relative to (absolute).
    """

    rows: pd.DataFrame
    folder: Path

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def files(self) -> list[Path]:
        """Return the absolute path of every row's image."""
        return [Path(text) for text in absolute(self.rows["path"], self.folder)]

    @property
    def attributes(self) -> list[str]:
        """Return the names of the attribute columns, in order."""
        return [name for name in self.rows.columns if name.startswith("attr_")]

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


def read(path: Path, root: Path | None = None) -> Manifest:
    """Read and check a manifest.

    Args:
        path: A CSV file in UTF-8 with at least the columns path, label and source.
        root: What relative paths are relative to; the file's own folder if None.

    Raises:
        MissingFileError: There is no such file.
        InputError: The content cannot be used; the message names file and lines.
    """
    manifest, _, findings = parse(path, root)
    if findings:
        raise InputError(f"{path}: {summary(findings)}")
    return manifest


def parse(
    path: Path, root: Path | None = None
) -> tuple[Manifest, list[int], list[Finding]]:
    """Read a manifest and list what is wrong with single rows instead of raising.

    Returns:
        The manifest (with its bad values), each row's line number, the findings.

    Raises:
        MissingFileError: There is no such file.
        InputError: The file as a whole is no manifest (see `read_csv`).
    """
    frame, lines = read_csv(path)
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        hint = (
            " Its columns seem to be separated by semicolons; save it with commas."
            if ";" in frame.columns[0]
            else " A table with other names can be converted: kerasfaces manifest build "
            "TABLE --map label=... -o manifest.csv."
        )
        raise InputError(
            f"{path}, line 1: no column {' and no column '.join(missing)}; expected path, "
            f"label, source and optionally split, got {', '.join(frame.columns)[:200]}.{hint}"
        )
    if frame.empty:
        raise InputError(
            f"{path} has a header but no rows; expected one row per image."
        )
    if "split" not in frame:
        frame.insert(list(frame.columns).index("source") + 1, "split", "")
    manifest = Manifest(frame, absolute_folder(root or path.parent))
    found = row_findings(frame, absolute(frame["path"], manifest.folder), lines)
    return manifest, lines, found


def require_valid(manifest: Manifest, where: str) -> None:
    """Refuse a manifest made from elsewhere that `read` would refuse.

    Raises:
        InputError: With row numbers as lines (the first row is line 2).
    """
    lines = range(2, len(manifest) + 2)
    paths = absolute(manifest.rows["path"], manifest.folder)
    findings = row_findings(manifest.rows, paths, lines)
    if findings:
        raise InputError(f"{where}: {summary(findings)}")


def read_csv(path: Path) -> tuple[pd.DataFrame, list[int]]:
    """Read a CSV file as text columns.

    Returns:
        The table, all columns text, and the line at which each row starts.

    Raises:
        MissingFileError: There is no such file.
        InputError: Not UTF-8, empty, ragged, or not well-formed CSV.
    """
    text = _read_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path}, line {line}: not well-formed CSV ({error}); check the quotes there."
        ) from error
    if not records:
        raise InputError(
            f"{path} is empty; expected a header line with path, label, source, split."
        )
    header = [name.strip() for name in records[0]]
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise InputError(
            f"{path}, line 1: column {repeated[0]!r} appears twice; rename one of them."
        )
    _refuse_ragged(path, header, records, lines)
    columns = zip(*records[1:], strict=True) if records[1:] else [()] * len(header)
    frame = pd.DataFrame(
        {
            name: pd.Series(list(column), dtype=str)
            for name, column in zip(header, columns, strict=True)
        }
    )
    return frame, lines[1:]


def write(manifest: Manifest, path: Path) -> None:
    """Write a manifest atomically as UTF-8 CSV.

    Paths become relative to the file's folder where they lie below it, absolute elsewhere.
    """
    base = os.path.abspath(path.parent)
    prefix = base if base.endswith(os.sep) else base + os.sep
    paths = [
        text.removeprefix(prefix)
        for text in absolute(manifest.rows["path"], manifest.folder)
    ]
    runs.write_text(path, to_csv(manifest.rows.assign(path=paths)))


def to_csv(rows: pd.DataFrame) -> str:
    """Return text columns as CSV; only fields that need quotes get them."""
    lines = [",".join(map(_field, rows.columns))]
    columns = [list(map(_field, rows[name])) for name in rows.columns]
    lines += [",".join(record) for record in zip(*columns, strict=True)]
    return "\n".join(lines) + "\n"


def absolute(paths: pd.Series, folder: Path) -> list[str]:
    """Return the absolute form of paths that are relative to `folder`."""
    base = os.path.abspath(folder)
    return [os.path.normpath(os.path.join(base, text)) for text in paths]


def absolute_folder(folder: Path) -> Path:
    """Return a folder as manifests keep it: absolute, links left as they are."""
    return Path(os.path.abspath(folder))


def column(rows: pd.DataFrame, name: str) -> list[str]:
    """Return a column's texts; empty texts when there is no such column."""
    return list(rows[name]) if name in rows else [""] * len(rows)


def _read_text(path: Path) -> str:
    if not path.exists():
        raise MissingFileError(f"{path} does not exist; expected a manifest (CSV).")
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected a manifest (CSV).")
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.startswith((b"PK", b"PAR1")):
            raise InputError(
                f"{path} is an Excel or Parquet table; make a manifest of it: kerasfaces "
                f"manifest build {path} -o manifest.csv."
            ) from error
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: not UTF-8 text (byte {data[error.start]:#04x}); save it as "
            "CSV in UTF-8."
        ) from error


def _refuse_ragged(
    path: Path, header: list[str], records: list[list[str]], lines: list[int]
) -> None:
    ragged = [i for i, record in enumerate(records) if len(record) != len(header)]
    if ragged:
        raise InputError(
            f"{path}, {lines_text([lines[i] for i in ragged])}: "
            f"{len(records[ragged[0]])} fields, expected {len(header)} as in the header; "
            "quote fields that contain commas."
        )


def _field(text: str) -> str:
    """Quote one field where needed; spaces at the ends and bare CR survive too."""
    if text == "" or (text.strip() == text and not any(c in text for c in ',"\r\n')):
        return text
    return '"' + text.replace('"', '""') + '"'
