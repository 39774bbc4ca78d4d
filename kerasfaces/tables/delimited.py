"""Text with one row per line -> header and cells; separator and quotes are found out."""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import plain
from kerasfaces.tables.columns import Table, n_known

if TYPE_CHECKING:
    from _csv import Reader

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SAMPLE = 50  # rows by which separators are judged
_EXCEL = re.compile(r'"?sep=([^"\r\n])"?\r?\n?')


def parse(text: str, path: Path) -> Table:
    """Return the table; its notes tell the separator and the quotes where they are unusual.

    Raises:
        InputError: Quotes that do not close, or a field without end.
    """
    skipped, separator = 0, ""
    if excel_line := _EXCEL.match(text):  # Excel's own first line
        separator, skipped = excel_line[1], 1
        text = text[excel_line.end() :]
    separator = separator or _separator(text)
    quote = "'" if _single_quoted(text, separator) else '"'
    reader = _reader(text, separator, quote, _padded(text, separator, quote))
    records, lines = [], []
    line = 1 + skipped
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(line)
            line = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise InputError(
            f"{path}, line {line}: not well-formed CSV ({plain(error)}); check the quotes there."
        ) from error
    notes = []
    if separator != "," and records and len(records[0]) > 1:
        name = SEPARATORS.get(separator, repr(separator))
        notes.append(f"its cells are separated by {name}.")
    if quote == "'":
        notes.append("its cells stand in single quotes, which are taken off.")
    header, *rows = records or [[]]
    return Table(path, header, rows, lines[1:], tuple(notes), separator)


def _reader(
    text: str, separator: str, quote: str = '"', padded: bool = False
) -> "Reader":
    return csv.reader(
        io.StringIO(text, newline=""),
        strict=True,
        delimiter=separator,
        quotechar=quote,
        skipinitialspace=padded,
    )


def _records(text: str, separator: str, quote: str = '"') -> Iterator[list[str]]:
    """Yield the first records; stop where they are not well-formed."""
    try:
        yield from itertools.islice(
            filter(None, _reader(text, separator, quote)), _SAMPLE
        )
    except csv.Error:
        return


def _separator(text: str) -> str:
    """Return the separator that gives known names, else equal rows of several cells."""

    def worth(separator: str) -> tuple[int, bool, int]:
        records = list(_records(text, separator)) or [[]]
        width = len(records[0])
        even = width > 1 and all(len(record) == width for record in records)
        names = [name.strip().strip("'") for name in records[0]]
        return n_known(names), even, width if even else 0

    return max(SEPARATORS, key=worth)


def _single_quoted(text: str, separator: str) -> bool:
    """Say whether all cells of the first rows stand in single quotes."""
    records = _records(text, separator)
    cells = [cell.strip() for record in records for cell in record if cell.strip()]
    return bool(cells) and all(len(c) > 1 and c[0] == c[-1] == "'" for c in cells)


def _padded(text: str, separator: str, quote: str) -> bool:
    """Say whether a space follows every separator, the header's included."""
    records = list(_records(text, separator, quote))
    later = [cell for record in records for cell in record[1:] if cell]
    return bool(later) and len(records) > 1 and all(cell[0] == " " for cell in later)
