"""predictions.csv: one row per manifest row, with the model's logit and its score.

An unreadable image has neither, but a reason. A foreign file without `logit` is ranked
by its `score`.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasfaces import tables
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import atomic_path
from kerasfaces.core.texts import listed, quoted
from kerasfaces.metrics.inputs import Floats
from kerasfaces.tables.columns import lines_text

COLUMNS = ("path", "label", "source", "split", "logit", "score", "reason")
_REQUIRED = ("path", "label", "source", "split")
_NUMBERS = ("logit", "score")
_ALLOWED = {"label": ("real", "fake"), "split": ("train", "val", "test")}
_MOST = 1e30  # beyond it a sum of squares is infinite
_PATH_ERRORS = "surrogateescape"  # file names need not be UTF-8


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
        frame[name] = _numbers(frame, name, path, table.lines)
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
    at = np.asarray(lines if lines is not None else range(1, len(frame) + 1), dtype=int)
    for name, allowed in _ALLOWED.items():
        bad = ~frame[name].isin(allowed).to_numpy()
        if bad.any():
            value = frame[name][bad].iloc[0]
            raise InputError(
                f"{where}: {name} {quoted(value)} is unknown; expected {' or '.join(allowed)} "
                f"({lines_text(at[bad].tolist())})."
            )
    nameless = (frame["path"] == "").to_numpy()
    if nameless.any():
        raise InputError(
            f"{where}: path is empty ({lines_text(at[nameless].tolist())})."
        )
    repeated = frame["path"].duplicated(keep=False).to_numpy()
    if repeated.any():
        raise InputError(
            f"{where}: path {quoted(frame['path'][repeated].iloc[0])} occurs more than once; "
            f"expected one row per image ({lines_text(at[repeated].tolist())})."
        )
    _check_numbers(frame, where, at)
    return frame


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
    """Return a predictions file's table; names of files need not be UTF-8.

    Raises:
        MissingFileError: The file does not exist.
        InputError: It is no table.
    """
    return tables.read(path, raw_bytes=True, expected="predictions")


def require_columns(header: Sequence[str], path: Path) -> None:
    """Refuse a table that lacks what predictions need.

    Raises:
        InputError: A column is missing.
    """
    missing = [name for name in _REQUIRED if name not in header]
    if missing or not {"logit", "score"} & set(header):
        raise InputError(
            f"{path}: columns {', '.join(missing) or 'logit or score'} missing; expected "
            f"{', '.join(_REQUIRED)} and logit or score, got {listed(header)}."
        )


def _numbers(frame: pd.DataFrame, name: str, path: Path, lines: list[int]) -> Floats:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    cells = frame[name].tolist()
    values = np.full(len(cells), np.nan)
    for index, cell in enumerate(cells):
        if cell.strip() == "":
            continue
        try:
            values[index] = float(cell)
        except ValueError:
            raise InputError(
                f"{path}, line {lines[index]}: {name} {quoted(cell)} is not a number."
            ) from None
        if not np.isfinite(values[index]) and not frame["reason"][index]:
            raise InputError(
                f"{path}, line {lines[index]}: {name} is {quoted(cell)}; expected a finite number, "
                "or an empty cell and a reason."
            )
    return values


def _check_numbers(frame: pd.DataFrame, where: str, at: np.ndarray) -> None:
    for name in _NUMBERS:
        endless = np.abs(frame[name].to_numpy()) > _MOST
        if endless.any():
            raise InputError(
                f"{where}: {name} is beyond {_MOST:g} ({lines_text(at[endless].tolist())}); expected log-odds "
                "or a probability."
            )
    score = frame["score"].to_numpy()
    outside = (score < 0) | (score > 1)
    if outside.any():
        raise InputError(
            f"{where}: score {score[outside][0]:g} is outside 0..1 ({lines_text(at[outside].tolist())}); a "
            "raw output belongs in the column logit."
        )
    empty = np.isnan(ranking(frame)) & (frame["reason"] == "").to_numpy()
    if empty.any():
        raise InputError(
            f"{where}: {int(empty.sum())} rows have neither a score nor a reason "
            f"({lines_text(at[empty].tolist())}); expected a finite number, or a reason why there is none."
        )


def _texts(cells: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return str objects: pandas' own text type cannot hold a name that is not UTF-8."""
    texts = ["" if pd.isna(cell) else str(cell) for cell in cells]
    return pd.Series(texts, index=cells.index, dtype=object)
