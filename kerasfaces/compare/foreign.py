"""A predictions.csv by whoever wrote it -> checked predictions, with what was mended.

A file of our own is read strictly by `predictions.read`. Here a repeated row is taken
once and a score that is no number becomes a row without a score; both are counted and
named. What could mean two things (two scores for one image, an unknown label, a score
outside 0..1) stays an error.
"""

import dataclasses
import math
from pathlib import Path

import pandas as pd

from kerasfaces import tables
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.run import predictions
from kerasfaces.tables import decimal_commas
from kerasfaces.tables.columns import PATHS, lines_text


@dataclasses.dataclass(frozen=True)
class Foreign:
    """What a file holds.

    Attributes:
        frame: Checked predictions of all its splits, one row per image.
        n_repeated: Further rows that said the same of an image once more.
        n_not_numbers: Rows whose score was empty, NaN or infinite without a reason.
        notes: One sentence for each kind of thing that was mended.
    """

    frame: pd.DataFrame
    n_repeated: int
    n_not_numbers: int
    notes: tuple[str, ...]


def read(path: Path) -> Foreign:
    """Read a predictions file that need not be ours, in any form `tables` knows.

    Raises:
        MissingFileError: The file does not exist.
        InputError: Not a table, columns missing, no row, unknown labels or splits,
            text for a number, scores outside 0..1, or one image with two answers; the
            message gives the lines.
    """
    table = predictions.read_table(path)
    header, renamed = _our_names(table.header)
    if "source" not in header and {"path", "label"} <= set(header):
        renamed.append("It has no column source: the label stands in for it")
        header = [*header, "source"]
        table = dataclasses.replace(
            table,
            rows=[[*row, row[header.index("label")]] for row in table.rows],
        )
    predictions.require_columns(header, path)
    if not table.rows:
        raise InputError(
            f"{path} has a header but no rows; expected one row per image."
        )
    cells = [dict(zip(header, row, strict=True)) for row in table.rows]
    _as_we_write(cells, table)
    kept, kept_lines, repeated = _once(cells, table.lines, path)
    _empty_what_is_no_number(kept, kept_lines, path)
    ranked_by = "logit" if any(row.get("logit") for row in kept) else "score"
    without = []
    for row, line in zip(kept, kept_lines, strict=True):
        if row.get(ranked_by):
            continue
        row["score"] = ""  # not on the others' scale
        if not row.get("reason"):
            row["reason"] = f"no finite {ranked_by} in the file"
            without.append(line)
    header = list(dict.fromkeys([*header, "reason"]))
    frame = pd.DataFrame(kept, columns=header, dtype=object)
    for name in ("logit", "score"):
        if name in frame:
            frame[name] = [float(cell) if cell else math.nan for cell in frame[name]]
    checked = predictions.check(frame, str(path), kept_lines)
    notes = [
        f"{lines_text(at).capitalize()} {what}"
        for at, what in (
            (repeated, "repeated a row word for word: taken once"),
            (without, f"had no finite {ranked_by} and no reason: counted as without"),
        )
        if at
    ]
    assumed = [
        note[:1].upper() + note[1:].rstrip(".") for note in table.notes
    ] + renamed
    return Foreign(checked, len(repeated), len(without), (*assumed, *notes))


def _our_names(header: list[str]) -> tuple[list[str], list[str]]:
    """Return the columns as we call them, and a sentence where a name was another."""
    low = [name.lower() for name in header]
    names = [
        each if each in predictions.COLUMNS and low.count(each) == 1 else name
        for name, each in zip(header, low, strict=True)
    ]
    if "path" in names:
        return names, []
    for other in PATHS:
        if low.count(other) == 1:
            at = low.index(other)
            names[at] = "path"
            return names, [f"It has no column path: {header[at]} is read as it"]
    return names, []


def _as_we_write(cells: list[dict[str, str]], table: tables.Table) -> None:
    """Bring words into lower case and numbers to points, in place."""
    for name in {"label", "split"} & set(cells[0]):
        for row in cells:
            row[name] = row[name].strip().lower()
    for name in {"logit", "score"} & set(cells[0]):
        where = f"{table.path}, column {name}"
        column = [row[name] for row in cells]
        points = decimal_commas.with_points(column, table.separator, where, table.lines)
        for row, cell in zip(cells, points, strict=True):
            row[name] = cell


def _once(
    cells: list[dict[str, str]], lines: list[int], path: Path
) -> tuple[list[dict[str, str]], list[int], list[int]]:
    """Return the rows without repetitions, their lines, and the repetitions' lines."""
    first: dict[str, int] = {}
    kept, repeated = [], []
    for index, row in enumerate(cells):
        before = first.setdefault(row["path"], index)
        if before == index:
            kept.append(index)
        elif cells[before] == row:
            repeated.append(lines[index])
        else:
            raise InputError(
                f"{path}, lines {lines[before]} and {lines[index]}: two different rows for "
                f"{quoted(row['path'])}; expected one answer per image. Delete one of them."
            )
    return [cells[i] for i in kept], [lines[i] for i in kept], repeated


def _empty_what_is_no_number(
    cells: list[dict[str, str]], lines: list[int], path: Path
) -> None:
    """Empty NaN and infinite cells; text is a mistake."""
    for row, line in zip(cells, lines, strict=True):
        for name in {"logit", "score"} & set(row):
            text = row[name].strip()
            try:
                finite = text != "" and math.isfinite(float(text))
            except ValueError:
                raise InputError(
                    f"{path}, line {line}: {name} {quoted(text)} is not a number."
                ) from None
            row[name] = text if finite else ""
