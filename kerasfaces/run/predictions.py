"""predictions.csv: one row per manifest row, with the model's logit and its score.

An unreadable image has neither, but a reason. A foreign file without `logit` is ranked
by its `score`.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces import tables
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import atomic_path
from kerasfaces.core.texts import listed, quoted
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.tables.columns import lines_text

COLUMNS = ("path", "label", "source", "split", "logit", "score", "reason")
_REQUIRED = ("path", "label", "source", "split")
_NUMBERS = ("logit", "score")
_ALLOWED = {"label": ("real", "fake"), "split": ("train", "val", "test")}
_MOST = 1e30  # beyond it a sum of squares is infinite
_PATH_ERRORS = "surrogateescape"  # file names need not be UTF-8


def as_predictions(
    rows: pd.DataFrame, logits: Floats, reasons: list[str]
) -> pd.DataFrame:
    """Return the columns of predictions.csv; the score is left open (NaN)."""
    own = ("path", "label", "source", "family", "split", "pair_id")
    carried = [
        name
        for name in rows.columns
        if name in own
        or name.startswith("attr_")
        or (name.startswith("annotated_") and name.endswith("_by"))
    ]
    return rows[carried].assign(logit=logits, score=np.nan, reason=reasons)


def read(path: Path) -> pd.DataFrame:
    """Read and check a predictions file.

    Returns:
        Text columns as str (missing = ""), `logit` and `score` as float64 with NaN; the
        columns of `COLUMNS` first, then `pair_id`, `attr_*` and whatever else there is.

    Raises:
        MissingFileError: The file does not exist.
        InputError: Not a table, missing columns, duplicate paths, unknown labels or
            splits, or a row without score and reason; the message gives the lines.
    """
    table = read_table(path)
    require_columns(table.header, path)
    frame = pd.DataFrame(
        {name: pd.Series(table.column(name), dtype=object) for name in table.header}
    )
    for name in _NUMBERS:
        frame[name] = _numbers(table, name, frame)
    return check(frame, str(path), table.lines)


def check(
    frame: pd.DataFrame, where: str, lines: list[int] | None = None
) -> pd.DataFrame:
    """Return the predictions with all columns of `COLUMNS`, checked.

    Args:
        frame: Rows with at least path, label, source, split and logit or score.
        where: What they are, for messages.
        lines: Each row's line in its file, for messages; by default its position.

    Raises:
        InputError: See `read`.
    """
    missing = [name for name in _REQUIRED if name not in frame.columns]
    if missing:
        raise InputError(f"{where}: columns {', '.join(missing)} missing.")
    others = [name for name in frame.columns if name not in COLUMNS]
    frame = frame.reindex(columns=[*COLUMNS, *others]).reset_index(drop=True)
    for name in frame.columns:
        if name in _NUMBERS:
            frame[name] = frame[name].astype(np.float64)
        else:
            frame[name] = _texts(frame[name])
    at = np.asarray(lines or range(1, len(frame) + 1), dtype=int)
    for bad, what, expected in _faults(frame):
        if bad.any():
            rows = lines_text(at[bad].tolist())
            raise InputError(f"{where}: {what} ({rows}){expected}.")
    return frame


def _faults(frame: pd.DataFrame) -> Iterator[tuple[Bools, str, str]]:
    """Yield which rows are wrong, what is wrong with them, and what was expected."""
    for name, allowed in _ALLOWED.items():
        bad = ~frame[name].isin(allowed).to_numpy()
        value = quoted(next(iter(frame[name][bad]), ""))
        yield bad, f"{name} {value} is unknown; expected {' or '.join(allowed)}", ""
    yield (frame["path"] == "").to_numpy(), "path is empty", ""
    bad = frame["path"].duplicated(keep=False).to_numpy()
    value = quoted(next(iter(frame["path"][bad]), ""))
    yield bad, f"path {value} occurs more than once; expected one row per image", ""
    for name in _NUMBERS:
        bad = np.abs(frame[name].to_numpy()) > _MOST
        yield bad, f"{name} is beyond {_MOST:g}", "; expected log-odds or a probability"
    score = frame["score"].to_numpy()
    bad = (score < 0) | (score > 1)
    what = f"score {next(iter(score[bad]), 0):g} is outside 0..1"
    yield bad, what, "; a raw output belongs in the column logit"
    bad = np.isnan(ranking(frame)) & (frame["reason"] == "").to_numpy()
    what = f"{int(bad.sum())} rows have neither a score nor a reason"
    yield bad, what, "; expected a finite number, or a reason why there is none"


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write predictions atomically; NaN becomes an empty cell, floats round-trip."""
    header = list(frame.columns)
    columns = [
        ["" if value != value else repr(float(value)) for value in frame[name]]
        if name in _NUMBERS
        else frame[name].tolist()
        for name in header
    ]
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", errors=_PATH_ERRORS, newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(header)
        for row in zip(*columns, strict=True):
            # A lone carriage return is not quoted by itself, and would end the row.
            (quoted if any("\r" in cell for cell in row) else writer).writerow(row)


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have a logit or a score."""
    return frame[np.isfinite(ranking(frame))]


def ranking(frame: pd.DataFrame) -> Floats:
    """Return what ranks the rows, `(n,)`, NaN where unreadable: logit, else score."""
    name = "logit" if frame["logit"].notna().any() else "score"
    return np.asarray(frame[name], dtype=np.float64)


def attributes(frame: pd.DataFrame) -> list[str]:
    """Return the `attr_*` columns that say something about at least one row."""
    names = [name for name in frame.columns if name.startswith("attr_")]
    return [name for name in names if (frame[name] != "").any()]


def read_table(path: Path) -> tables.Table:
    """Return a predictions file's table; names of files need not be UTF-8."""
    return tables.read(path, raw_bytes=True, expected="predictions")


def require_columns(header: Sequence[str], path: Path) -> None:
    """Refuse a table that lacks a column of predictions."""
    missing = [name for name in _REQUIRED if name not in header]
    if missing or not {"logit", "score"} & set(header):
        raise InputError(
            f"{path}: columns {', '.join(missing) or 'logit or score'} missing; expected "
            f"{', '.join(_REQUIRED)} and logit or score, got {listed(header)}."
        )


def _numbers(table: tables.Table, name: str, frame: pd.DataFrame) -> Floats:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    values = np.array(table.numbers(name), dtype=np.float64)
    unexplained = (frame["reason"] == "") if "reason" in frame else True
    bad = ~np.isfinite(values) & (frame[name].str.strip() != "") & unexplained
    for row in np.flatnonzero(bad):
        raise InputError(
            f"{table.path}, line {table.lines[row]}: {name} is {quoted(frame[name][row])}; "
            "expected a finite number, or an empty cell and a reason."
        )
    return values


def _texts(cells: pd.Series) -> pd.Series:
    """Return str objects: pandas' own text type cannot hold a name that is not UTF-8."""
    texts = ["" if pd.isna(cell) else str(cell) for cell in cells]
    return pd.Series(texts, index=cells.index, dtype=object)
