"""Images that a Parquet file holds itself -> files in a folder, each written once."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from kerasfaces import images
from kerasfaces.core import folders
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import write_bytes
from kerasfaces.core.progress import progress
from kerasfaces.core.texts import quoted
from kerasfaces.tables.columns import is_image_name, lines_text

_BATCH = 64  # images in memory at a time
_NAME_BYTES = 150  # of one part of a path; file systems allow 255
_MOST_PARTS = 8
_SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif", "MPO": ".jpg", "JPEG2000": ".jp2"}


def extract(table: Path, column: str, folder: Path) -> list[str]:
    """Write a Parquet column's images below `folder`; what is there already is left as it is.

    Names come from the cells' `path`, kept inside the folder whatever they say; images
    without one are numbered.

    Returns:
        Each row's file, relative to `folder`, with slashes.

    Raises:
        InputError: A row without an image, or a file there that holds something else.
    """
    import pyarrow.parquet as pq

    names: list[str] = []
    last_number: dict[str, int] = {}
    empty: list[int] = []
    with folders.lock(folder, "folder of images"):
        total = int(pq.read_metadata(table).num_rows)
        with progress(total, f"writing images to {folder}") as advance:
            for number, (data, stated) in enumerate(_cells(table, column)):
                if data:
                    name = _unique(_name(stated, data, number, total), last_number)
                    _write(folder, name, data)
                    names.append(name)
                else:
                    empty.append(number + 2)
                advance(1)
    if empty:
        raise InputError(
            f"{table}, {lines_text(empty)}: no image in column {quoted(column)}; expected one "
            "per row. Remove such rows."
        )
    return names


def _cells(table: Path, column: str) -> Iterator[tuple[bytes, str]]:
    """Yield each row's bytes and stated path; either may be empty."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(table) as file:
        for batch in file.iter_batches(batch_size=_BATCH, columns=[column]):
            for value in batch.column(0).to_pylist():
                if isinstance(value, dict):
                    yield value.get("bytes") or b"", str(value.get("path") or "")
                else:
                    yield value or b"", ""


def _name(stated: str, data: bytes, number: int, total: int) -> str:
    """Return a path that stays below the folder, ending as image files do."""
    parts = [_part(text) for text in stated.replace("\\", "/").split("/")]
    parts = [part for part in parts if part][-_MOST_PARTS:]
    if not parts:
        parts = [f"{number:0{len(str(total))}d}"]
    if not is_image_name(parts[-1]):
        parts[-1] += _suffix(data)
    return "/".join(parts)


def _part(text: str) -> str:
    """Return one part of a path: no dots alone, nothing hidden, nothing unprintable."""
    clean = "".join(
        "_" if char in ':*?"<>|' or not char.isprintable() else char for char in text
    )
    clean = clean.lstrip(" .").rstrip(" ")
    if len(clean.encode()) <= _NAME_BYTES:
        return clean
    stem, suffix = os.path.splitext(clean)
    room = max(_NAME_BYTES - len(suffix.encode()), 0)
    return stem.encode()[:room].decode(errors="ignore") + suffix[:20]


def _suffix(data: bytes) -> str:
    try:
        kind = str(images.probe(data)["format"])
    except ImageError:
        return ".jpg"  # a row with a reason, like any other unreadable file
    return _SUFFIXES.get(kind, f".{kind.lower()}")


def _unique(name: str, last_number: dict[str, int]) -> str:
    """Return the name, numbered where an earlier row has it, in any case.

    `last_number`: Name without its case -> the last number used with it; updated.
    """
    stem, suffix = os.path.splitext(name)
    unnumbered = _caseless(name)
    number, numbered = last_number.get(unnumbered, 0), name
    while (key := _caseless(numbered)) in last_number:
        number += 1
        numbered = f"{stem}-{number}{suffix}"
    last_number[key] = 1
    last_number[unnumbered] = max(number, 1)
    return numbered


def _caseless(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _write(folder: Path, name: str, data: bytes) -> None:
    target = folder / name
    inside = os.path.realpath(folder)
    if os.path.commonpath([inside, os.path.realpath(target.parent)]) != inside:
        raise InputError(
            f"{target.parent} is a link out of {folder}; choose another folder."
        )
    if os.path.lexists(target):
        if not target.is_file() or target.read_bytes() != data:
            raise InputError(
                f"{target} is there already and holds something else; choose another folder."
            )
        return
    write_bytes(target, data)
