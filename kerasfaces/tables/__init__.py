"""Somebody's table, in whatever form it is kept -> names and rows of text.

The one step in which every reader of a table (manifests, tables to build one from,
attributes, predictions of others) finds out what it was given: encoding, separator,
quotes, an index column; JSON, Excel or Parquet. What was assumed is said in `notes`;
what could be two things is refused in one sentence. What the columns mean is for the
reader to say.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.tables import delimited, encoding, json_records
from kerasfaces.tables.columns import Table as Table
from kerasfaces.tables.columns import named

if TYPE_CHECKING:
    import pandas as pd

_BINARY = {".xlsx": "excel", ".xls": "excel", ".parquet": "parquet", ".pq": "parquet"}


def read(path: Path, *, raw_bytes: bool = False, expected: str = "a table") -> Table:
    """Read a table of any known form; its content counts before its name.

    Args:
        path: The file.
        raw_bytes: Keep bytes that are no UTF-8 as they are (as file names do) instead of
            reading them as Windows-1252.
        expected: Kind of table that the reader needs, for messages.

    Raises:
        MissingFileError: There is no such file.
        InputError: It is no table, or could be read in two ways; the message says what it
            seems to be.
    """
    if not path.exists():
        raise MissingFileError(f"{path} does not exist; expected {expected}.")
    if not path.is_file():
        what = "a folder, not a file" if path.is_dir() else "not a file"
        raise InputError(f"{path} is {what}; expected {expected}.")
    with path.open("rb") as file:
        start = file.read(16)
    kind = _BINARY.get(path.suffix.lower()) or encoding.binary_table(start)
    if kind:
        from kerasfaces.tables import binary

        return named(binary.read(path, kind), expected)
    text, notes = encoding.decode(path.read_bytes(), path, raw_bytes)
    parser = json_records if json_records.is_json(text) else delimited
    table = parser.parse(text, path)
    return named(dataclasses.replace(table, notes=(*notes, *table.notes)), expected)


def in_memory(frame: "pd.DataFrame", name: str = "the table") -> Table:
    """Return a table that is no file, its rows counted as in one whose header is line 1.

    Args:
        frame: Any table; its index is left out.
        name: Name of the table in messages.

    Raises:
        InputError: Two columns have the same name.
    """
    from kerasfaces.tables import binary

    return named(binary.frame(frame, Path(name)), "a table")
