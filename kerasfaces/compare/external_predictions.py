"""A predictions.csv by whoever wrote it -> checked predictions, with what was mended.

A file of our own is read strictly by `predictions.read`. Here a repeated row is taken
once and a score that is no number becomes a row without a score; both are counted and
named. What could mean two things (two scores for one image, an unknown label, a score
outside 0..1) stays an error.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.run import predictions
from kerasfaces.tables.columns import PATHS, lines_text, with_points


class ExternalPredictions(NamedTuple):
    """What a file holds."""

    frame: pd.DataFrame  # checked predictions of all its splits, one row per image
    n_repeated: int  # further rows that repeat an image word for word
    notes: tuple[str, ...]  # one sentence for each kind of thing that was mended


def read(path: Path) -> ExternalPredictions:
    """Read a predictions file that need not be ours, in any form `tables` knows.

    Raises:
        MissingFileError: The file does not exist.
        InputError: Not a table, columns missing, no row, unknown labels or splits,
            text for a number, scores outside 0..1, or one image with two answers; the
            message gives the lines.
    """
    table = predictions.read_table(path)
    notes = [note[:1].upper() + note[1:].rstrip(".") for note in table.notes]
    header = _our_names(table.header, notes)
    cells = pd.DataFrame(table.rows, table.lines, header, dtype=object)
    if "source" not in cells and {"path", "label"} <= set(header):
        notes.append("It has no column source: the label stands in for it")
        cells["source"] = cells["label"]
        header = [*header, "source"]
    predictions.require_columns(header, path)
    if cells.empty:
        raise InputError(
            f"{path} has a header but no rows; expected one row per image."
        )
    for name in ("label", "split"):
        # Objects: what is no UTF-8 cannot be in a column of pandas' texts.
        cells[name] = np.array(
            [cell.strip().lower() for cell in cells[name]], dtype=object
        )
    numbers = [name for name in ("logit", "score") if name in cells]
    for name in numbers:
        where = f"{table.path}, column {name}"
        cells[name] = with_points(
            cells[name].tolist(), table.separator, where, table.lines
        )
    repeated = _repeated(cells, path)
    cells = cells.drop(index=repeated)
    for name in numbers:
        cells[name] = [_number(*item, name, path) for item in cells[name].items()]
    by = "logit" if "logit" in cells and cells["logit"].notna().any() else "score"
    if "reason" not in cells:
        cells["reason"] = ""
    without = cells[by].isna() if by in cells else pd.Series(True, cells.index)
    if "score" in cells:
        cells.loc[without, "score"] = math.nan  # not on the others' scale
    unsaid = cells.index[without & (cells["reason"] == "")]
    cells.loc[unsaid, "reason"] = f"no finite {by} in the file"
    if repeated:
        words = "repeated a row word for word: taken once"
        notes.append(f"{lines_text(repeated).capitalize()} {words}")
    if len(unsaid):
        words = f"had no finite {by} and no reason: counted as without"
        notes.append(f"{lines_text(unsaid.tolist()).capitalize()} {words}")
    checked = predictions.check(cells, str(path), cells.index.tolist())
    return ExternalPredictions(checked, len(repeated), tuple(notes))


def _our_names(header: list[str], notes: list[str]) -> list[str]:
    """Return the columns as we call them; note where another stands in for path."""
    low = [name.lower() for name in header]
    names = [
        each if each in predictions.COLUMNS and low.count(each) == 1 else name
        for name, each in zip(header, low, strict=True)
    ]
    other = next((name for name in PATHS if low.count(name) == 1), None)
    if "path" not in names and other is not None:
        at = low.index(other)
        names[at] = "path"
        notes.append(f"It has no column path: {header[at]} is read as it")
    return names


def _repeated(cells: pd.DataFrame, path: Path) -> list[int]:
    """Return the lines that repeat an earlier one of the same image word for word."""
    again = cells.duplicated("path")
    different = cells.index[again & ~cells.duplicated()]
    if len(different):
        line, name = different[0], cells["path"][different[0]]
        raise InputError(
            f"{path}, lines {cells.index[cells['path'] == name][0]} and {line}: two different "
            f"rows for {quoted(name)}; expected one answer per image. Delete one of them."
        )
    return cells.index[again].tolist()


def _number(line: object, text: str, name: str, path: Path) -> float:
    """Return a finite number or NaN; text is a mistake."""
    try:
        value = float(text.strip() or "nan")
    except ValueError:
        raise InputError(
            f"{path}, line {line}: {name} {quoted(text.strip())} is not a number."
        ) from None
    return value if math.isfinite(value) else math.nan
