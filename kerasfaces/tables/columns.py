"""A table of text, and how its columns get names, each once."""

import dataclasses
import itertools
import logging
import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted
from kerasfaces.images import kinds

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)
# Names that any of our readers looks for: how a header is told from a row.
PATHS = (
    *("path", "file_name", "filename", "file_path", "filepath", "image_path"),
    *("img_path", "file", "image", "img", "image_name", "image_file", "image_id", "id"),
)
KNOWN = {
    *PATHS,
    *("label", "source", "split", "logit", "score", "reason", "class", "target"),
    *("label_str", "pair_id", "identity", "sha256", "generator", "folder"),
}
_SHOWN = 5  # line numbers named in one message
_COMMA = re.compile(r"\s*[+-]?\d*,(\d+)([eE][+-]?\d+)?\s*")
_NAMELESS = re.compile(r"(Unnamed: \d+)?")


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        path: The file.
        header: Column names; each once, when `named` has been over them.
        rows: Cells, as many as there are columns; missing is the empty string.
        lines: Each row's line in the file (in a sheet or a Parquet file its row, the
            header being 1).
        notes: What was assumed or left out, a sentence each.
        separator: Between cells; empty where the format needs none.
        images: Columns that hold images themselves (Parquet), which `rows` lacks.
    """

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    notes: tuple[str, ...] = ()
    separator: str = ""
    images: tuple[str, ...] = ()

    def column(self, name: str) -> list[str]:
        """Return one column's cells."""
        at = self.header.index(name)
        return [row[at] for row in self.rows]

    def numbers(self, name: str) -> list[float]:
        """Return one column's cells as numbers, NaN where they are empty.

        Raises:
            InputError: A cell is no number; with its line.
        """
        numbers = []
        for cell, line in zip(self.column(name), self.lines, strict=True):
            try:
                numbers.append(float(cell) if cell.strip() else math.nan)
            except ValueError:
                raise InputError(
                    f"{self.path}, line {line}: {name} {quoted(cell)} is not a number."
                ) from None
        return numbers

    def frame(self) -> "pd.DataFrame":
        """Return the table, all columns text."""
        import pandas as pd

        columns = {name: self.column(name) for name in self.header}
        return pd.DataFrame(
            {name: pd.Series(cells, dtype=str) for name, cells in columns.items()}
        )

    def require_rows(self) -> None:
        """Refuse a table without rows."""
        if not self.rows:
            raise InputError(f"{self.path} has no rows; expected one row per image.")

    def log_notes(self) -> None:
        """Log what was assumed."""
        for note in self.notes:
            logger.warning("%s: %s", self.path, note)


def named(table: Table, expected: str) -> Table:
    """Return the table with a name of its own for every column, and what was done in notes.

    An index column and empty columns without a name are left out, and so are empty rows.
    Refused are no header, a name that is there twice, and rows of other lengths.
    """
    # Names of files may be any bytes; names of columns are made text.
    header = [
        name.strip().encode(errors="backslashreplace").decode() for name in table.header
    ]
    if not header:
        raise InputError(
            f"{table.path} is empty; expected {expected} with a header line and one row per "
            "image."
        )
    words = {name.lower() for name in header}
    like_a_row = bool(words & {"real", "fake"}) or any(map(is_image_name, header))
    if like_a_row and not n_known(header):
        raise InputError(
            f"{table.path}, line 1: {listed(header, 4)} looks like a row: the table has no "
            "header. Put a line with the columns' names on top, such as path,label."
        )
    filled = [i for i, row in enumerate(table.rows) if any(row)]
    rows, lines = [table.rows[i] for i in filled], [table.lines[i] for i in filled]
    header, rows = _even(header, rows)
    if ragged := [i for i, row in enumerate(rows) if len(row) != len(header)]:
        raise InputError(
            f"{table.path}, {lines_text([lines[i] for i in ragged])}: "
            f"{len(rows[ragged[0]])} fields, expected {len(header)} as in the header "
            f"({listed(header, 8)}); quote fields that contain the separator."
        )
    name_at, notes = _without_index(header, rows)
    names = list(name_at.values())
    if rows and len(names) < len(rows[0]):
        rows = [[row[i] for i in name_at] for row in rows]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise InputError(
            f"{table.path}, line 1: column {quoted(repeated[0])} appears twice; rename one "
            "of them."
        )
    notes = (*table.notes, *notes)
    return dataclasses.replace(table, header=names, rows=rows, lines=lines, notes=notes)


def n_known(header: Sequence[str]) -> int:
    """Return how many of the names some reader looks for."""
    names = [name.strip() for name in header]
    return sum(name.lower() in KNOWN or name.startswith("attr_") for name in names)


def lines_text(lines: Sequence[int]) -> str:
    """Return `line 3` or `lines 3, 5, 9, 12, 20 and 26 more`."""
    shown = ", ".join(map(str, lines[:_SHOWN]))
    more = f" and {len(lines) - _SHOWN:,} more" if len(lines) > _SHOWN else ""
    return f"{'line' if len(lines) == 1 else 'lines'} {shown}{more}"


def is_image_name(text: str) -> bool:
    """Say whether a text ends as image files do."""
    return bool(kinds.by_name(PurePath(text.replace("\\", "/").strip()).suffix))


def _even(
    header: list[str], rows: list[list[str]]
) -> tuple[list[str], list[list[str]]]:
    """Bring rows with one regular extra to the header's length.

    Separators at the ends of all rows are cut; R writes row names without a name for them.
    """
    width = len(header)
    if max(map(len, rows), default=0) > width:
        if header[-1] and not any(any(row[width:]) for row in rows):
            return header, [row[:width] for row in rows]
        one_more = all(len(row) == width + 1 for row in rows)
        if one_more and _counts_up([row[0] for row in rows]):
            return ["", *header], rows
    return header, rows


def _without_index(
    header: list[str], rows: list[list[str]]
) -> tuple[dict[int, str], tuple[str, ...]]:
    """Return position -> name of the columns to keep, and what was done."""
    names, notes = {}, []
    for i, name in enumerate(header):
        if _NAMELESS.fullmatch(name):
            cells = [row[i] for row in rows]
            if not any(cells):
                continue
            if _counts_up(cells):
                notes.append(
                    f"column {i + 1} has no name and counts the rows; it is left out."
                )
                continue
            if not name:
                name = f"column_{i + 1}"
                notes.append(f"column {i + 1} has no name; it is called {name}.")
        names[i] = name
    return names, tuple(notes)


def _counts_up(cells: Sequence[str]) -> bool:
    """Say whether cells are whole numbers that grow from row to row."""
    numbers = [cell.strip().removesuffix(".0") for cell in cells]
    if not numbers or not all(text.isascii() and text.isdigit() for text in numbers):
        return False
    return all(a < b for a, b in itertools.pairwise(map(int, numbers)))


def with_points(
    cells: Sequence[str], separator: str, where: str, lines: Sequence[int]
) -> list[str]:
    """Return a column's cells, decimal commas turned into points; what is no number stays.

    In a table that is `separator`ated by commas, `1,234` could be a thousand: commas then
    count only if another cell shows that they cannot be.

    Raises:
        InputError: Points and commas in one column, or commas that could mean thousands;
            with `where` (file and column) and the cells' lines.
    """
    matches = [_COMMA.fullmatch(cell) for cell in cells]
    with_commas = [i for i, match in enumerate(matches) if match]
    if not with_commas:
        return list(cells)
    with_point = next((i for i, cell in enumerate(cells) if "." in cell), None)
    if with_point is not None:
        raise InputError(
            f"{where}: {quoted(cells[with_commas[0]])} ({lines_text([lines[with_commas[0]]])}) has a "
            f"comma and {quoted(cells[with_point])} ({lines_text([lines[with_point]])}) a point; "
            "write all numbers with points."
        )
    sure = separator == ";" or any(
        match and (len(match[1]) != 3 or match[0].lstrip(" +-")[:1] in ("0", ","))
        for match in matches
    )
    if not sure:
        raise InputError(
            f"{where}: {quoted(cells[with_commas[0]])} ({lines_text([lines[with_commas[0]]])}) could "
            "be a thousand or a decimal comma; write numbers with points."
        )
    return [
        cell.replace(",", ".") if match else cell
        for cell, match in zip(cells, matches, strict=True)
    ]
