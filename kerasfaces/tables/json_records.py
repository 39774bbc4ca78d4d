"""JSON -> header and cells: one object per line, a list of objects, or columns."""

import json
import math
from pathlib import Path
from typing import NoReturn

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted
from kerasfaces.tables.columns import Table

_WHITE = " \t\r\n"
_decoder = json.JSONDecoder()


def is_json(text: str) -> bool:
    """Say whether a text begins as JSON does."""
    return text.lstrip(_WHITE)[:1] in ("{", "[")


def parse(text: str, path: Path) -> Table:
    """Return the table; the header has every key of any row, in the order met.

    Raises:
        InputError: Not JSON, or JSON of another shape; the message gives the line.
    """
    values = _values(text, path)
    if len(values) == 1 and isinstance(values[0][0], dict):
        values = _columns(values[0][0], path) or values
    records = []
    for value, line in values:
        if not isinstance(value, dict):
            raise InputError(
                f"{path}, line {line}: expected an object such as "
                f'{{"file_name": "a.jpg", "label": "real"}}, got {quoted(value)}.'
            )
        records.append(value)
    header = list(dict.fromkeys(name for record in records for name in record))
    try:
        cells = [[_cell(record.get(name)) for name in header] for record in records]
        "".join((*header, *(cell for row in cells for cell in row))).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{path} holds {error.object[error.start : error.end]!a}, half of a character; "
            "write it again as UTF-8."
        ) from error
    return Table(path, header, cells, [line for _, line in values])


def _values(text: str, path: Path) -> list[tuple[object, int]]:
    """Return the values one after another, or those of one list, with their lines."""
    values: list[tuple[object, int]] = []
    line, last, at = 1, 0, _skip(text, 0)
    is_list = text[at] == "["
    at += is_list
    while True:
        at = _skip(text, at)
        if is_list:
            if values and text[at : at + 1] not in ("]", ""):
                if text[at] != ",":
                    _fail(path, text, at, "no comma between two values")
                at = _skip(text, at + 1)
            if text[at : at + 1] == "]":
                at = _skip(text, at + 1)
                if at < len(text):
                    _fail(path, text, at, "more after the list")
                return values
        elif at >= len(text):
            return values
        try:
            value, end = _decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            _fail(path, text, error.pos, error.msg)
        except RecursionError:
            _fail(path, text, at, "nested too deep")
        line += text.count("\n", last, at)
        last = at
        values.append((value, line))
        at = end


def _fail(path: Path, text: str, at: int, why: str) -> NoReturn:
    line = text.count("\n", 0, at) + 1
    raise InputError(
        f"{path}, line {line}: not well-formed JSON ({why}); write it again, or save it as CSV."
    )


def _skip(text: str, at: int) -> int:
    """Return the position of the next character that is no white space."""
    while at < len(text) and text[at] in _WHITE:
        at += 1
    return at


def _columns(value: dict[str, object], path: Path) -> list[tuple[object, int]] | None:
    """Return the rows of an object of columns; None where it is a row itself."""
    if not any(isinstance(part, dict | list) for part in value.values()):
        return None
    dicts = [part for part in value.values() if isinstance(part, dict)]
    lists = [part for part in value.values() if isinstance(part, list)]
    data = value.get("data")
    rows: list[dict[str, object]]
    if len(dicts) == len(value):  # pandas' to_json
        keys = dict.fromkeys(key for part in dicts for key in part)
        rows = [
            {name: part.get(key) for name, part in zip(value, dicts, strict=True)}
            for key in keys
        ]
    elif len(lists) == len(value) and len(set(map(len, lists))) == 1:
        rows = [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]
    elif isinstance(data, list) and all(isinstance(each, dict) for each in data):
        rows = data
    else:
        raise InputError(
            f"{path} is one JSON object ({listed(list(value))}); expected one object per "
            'image: lines such as {"file_name": "a.jpg", "label": "real"}, or a list of them.'
        )
    return [(row, number + 2) for number, row in enumerate(rows)]


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
