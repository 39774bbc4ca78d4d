"""A file -> its table: which format it is, found by content before its name."""

import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.tables import delimited, encoding, objects
from kerasfaces.tables.columns import Rows

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)
_BINARY = {
    ".xlsx": "excel",
    ".xls": "excel",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        path: The file.
        header: Column names, each once.
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

    def frame(self) -> "pd.DataFrame":
        """Return the table, all columns text."""
        import pandas as pd

        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.header)
        return pd.DataFrame(
            {
                name: pd.Series(list(cells), dtype=str)
                for name, cells in zip(self.header, columns, strict=True)
            }
        )

    def say(self) -> None:
        """Log what was assumed."""
        for note in self.notes:
            logger.warning("%s: %s", self.path, note)


def read(path: Path, *, raw_bytes: bool = False, expected: str = "a table") -> Table:
    """Read a table of any known form.

    Args:
        path: The file.
        raw_bytes: Keep bytes that are no UTF-8 as they are (as file names do) instead of
            reading them as Windows-1252.
        expected: What the reader wanted, for messages.

    Raises:
        MissingFileError: There is no such file.
        InputError: It is no table, or could be read in two ways; the message says what it
            seems to be.
    """
    if not path.exists():
        raise MissingFileError(f"{path} does not exist; expected {expected}.")
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file; expected {expected}.")
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected {expected}.")
    with path.open("rb") as file:
        start = file.read(16)
    kind = _BINARY.get(path.suffix.lower()) or encoding.binary_table(start)
    if kind:
        from kerasfaces.tables import binary

        rows, images = getattr(binary, kind)(path)
        return _finished(path, rows, expected, images=images)
    text, notes = encoding.decode(path.read_bytes(), path, raw_bytes)
    if objects.is_json(text):
        rows = objects.parse(text, path)
        return _finished(path, rows, expected, notes)
    rows, separator, format_notes = delimited.parse(text, path)
    return _finished(path, rows, expected, (*notes, *format_notes), separator)


def in_memory(frame: "pd.DataFrame", name: str = "the table") -> Table:
    """Return a table that is no file, its rows counted as in one whose header is line 1.

    Args:
        frame: Any table; its index is left out.
        name: Name of the table in messages.

    Raises:
        InputError: Two columns have the same name.
    """
    from kerasfaces.tables import binary

    return _finished(Path(name), binary.frame(frame), "a table")


def _finished(
    path: Path,
    rows: Rows,
    expected: str,
    notes: tuple[str, ...] = (),
    separator: str = "",
    images: tuple[str, ...] = (),
) -> Table:
    rows, column_notes = rows.named(path, expected)
    return Table(
        path,
        rows.header,
        rows.cells,
        rows.lines,
        (*notes, *rows.notes, *column_notes),
        separator,
        images,
    )
