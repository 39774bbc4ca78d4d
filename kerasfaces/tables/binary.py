"""Excel and Parquet -> header and cells; images inside Parquet are only named here."""

import json
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted
from kerasfaces.tables.columns import Table

if TYPE_CHECKING:
    from pyarrow import Field
    from pyarrow.parquet import ParquetFile

_NAME_BYTES = 1024  # a binary cell that is a name is no longer than this
EMBEDDED = "bytes"  # the field that holds the file in Hugging Face's image columns


def read(path: Path, kind: str) -> Table:
    """Return the table of a file that is `excel` or `parquet`."""
    try:
        return _excel(path) if kind == "excel" else _parquet(path)
    except ImportError as error:
        raise InputError(
            f"{path}: {error}. Run: pip install 'kerasfaces[tables]', or save it as CSV."
        ) from error
    except Exception as error:  # each reader has its own family of errors
        ending = path.suffix.lower() or "a table"
        reason = quoted(f"{type(error).__name__}: {error}")
        raise InputError(
            f"{path} cannot be read as {ending} ({reason}); save it again, or as CSV."
        ) from error


def frame(table: pd.DataFrame, path: Path) -> Table:
    """Return a table in memory; its index is left out."""
    rows = [list(map(_cell, row)) for row in table.astype(object).to_numpy()]
    return Table(path, list(map(_cell, table.columns)), rows, _lines(rows))


def _lines(rows: list[list[str]]) -> list[int]:
    """Return the rows' lines, the header being line 1."""
    return list(range(2, len(rows) + 2))


def _excel(path: Path) -> Table:
    """Return the first sheet; further ones are named in a note."""
    with pd.ExcelFile(path) as book:
        first = pd.read_excel(book, header=None, dtype=object, keep_default_na=False)
        sheets = list(map(str, book.sheet_names))
    header, *rows = [list(map(_cell, row)) for row in first.to_numpy()] or [[]]
    note = f"its first sheet {quoted(sheets[0])} is read, not {listed(sheets[1:], 4)}."
    notes = (note,) * (len(sheets) > 1 and bool(header))
    return Table(path, header, rows, _lines(rows), notes)


def _parquet(path: Path) -> Table:
    """Return the columns of text and numbers, and the names of those that hold images."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        images = tuple(each.name for each in schema if _holds_images(file, each))
        names = [name for name in schema.names if name not in images]
        table = file.read(columns=names)
        class_names = _class_names(schema.metadata or {})
    columns, notes = [], []
    for name in names:
        cells = [_cell(value) for value in table.column(name).to_pylist()]
        if words := class_names.get(name):
            cells = [_word(words, cell) for cell in cells]
            meant = ", ".join(f"{i} = {quoted(w)}" for i, w in enumerate(words[:8]))
            notes.append(
                f"column {quoted(name)} is read by the file's own words: {meant}."
            )
        columns.append(cells)
    rows = [[cells[i] for cells in columns] for i in range(table.num_rows)]
    return Table(path, names, rows, _lines(rows), tuple(notes), images=images)


def _holds_images(file: "ParquetFile", field: "Field") -> bool:
    """Say whether a column holds files: bytes, or a structure with a field of bytes."""
    import pyarrow as pa

    kind = field.type
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index(EMBEDDED) >= 0)
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        return False
    for batch in file.iter_batches(batch_size=1, columns=[field.name]):
        if value := batch.column(0)[0].as_py():
            text = value.decode(errors="replace")
            is_text = "\ufffd" not in text and text.isprintable()
            return len(value) > _NAME_BYTES or not is_text
    return False


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Return the words of Hugging Face's numbered classes, by column."""
    try:
        info = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {
            name: [str(word) for word in part["names"]]
            for name, part in info.items()
            if isinstance(part, dict) and part.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, ValueError):
        return {}


def _word(words: Sequence[str], cell: str) -> str:
    return words[int(cell)] if cell.isdecimal() and int(cell) < len(words) else cell


def _cell(value: object) -> str:
    """Return a cell as text: whole numbers lose `.0`, missing values become empty."""
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, dict | list):
        return json.dumps(value, default=str, ensure_ascii=False)
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, Real) and value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
