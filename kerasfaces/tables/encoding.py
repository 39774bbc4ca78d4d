"""Bytes -> text, with a sentence where the encoding had to be guessed."""

import codecs
import re
from pathlib import Path

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

# Longer marks first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TABLES = (
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a WebP image or another RIFF file"),
    (b"BM", "a BMP image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\x1f\x8b", "compressed (gzip); unpack it first"),
    (b"BZh", "compressed (bzip2); unpack it first"),
    (b"\xfd7zXZ", "compressed (xz); unpack it first"),
    (b"(\xb5/\xfd", "compressed (zstd); unpack it first"),
    (b"7z\xbc\xaf", "compressed (7z); unpack it first"),
    (b"Rar!", "compressed (rar); unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database; save one of its tables as CSV"),
    (b"\x89HDF", "an HDF5 file; save its table as CSV"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"ARROW1", "an Arrow (Feather) file; save it as Parquet or CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office file; save it as .xlsx or CSV"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FOREIGN = re.compile(r"[^\x00-\x7f]")


def binary_table(start: bytes) -> str:
    """Return `excel` or `parquet` where a file begins as one, else the empty text."""
    if start.startswith(b"PK\x03\x04"):
        return "excel"
    return "parquet" if start.startswith(b"PAR1") else ""


def decode(data: bytes, path: Path, raw_bytes: bool) -> tuple[str, tuple[str, ...]]:
    """Return a file's text and what was guessed about it (`raw_bytes`: see `tables.read`).

    Raises:
        InputError: It is no text, or text in no encoding that can be told.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if not encoding:
        _refuse_what_is_no_text(data, path)
        encoding = _wide(data) or "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise InputError(
                f"{path} begins like {encoding.upper()} text and is damaged ({error.reason} at "
                f"byte {error.start:,}); save it as CSV in UTF-8."
            ) from error
        if raw_bytes:
            return data.decode("utf-8", "surrogateescape"), (
                f"line {_line(data, error)} is not UTF-8; such names are taken byte for byte.",
            )
        return _western(data, path, error)
    if "\0" in text.partition("\n")[0]:
        raise InputError(
            f"{path}, line 1: it holds zero bytes, so it is no table of text; save it as CSV "
            "in UTF-8."
        )
    plain = encoding.startswith("utf-8")
    return text, () if plain else (f"it is read as {encoding.upper()}.",)


def _western(
    data: bytes, path: Path, error: UnicodeDecodeError
) -> tuple[str, tuple[str, ...]]:
    """Read as Windows-1252, showing how a word came out: it is a guess."""
    line = _line(data, error)
    try:
        text = data.decode("cp1252")
        if _CONTROL.search(text):
            raise ValueError
    except ValueError:
        raise InputError(
            f"{path}, line {line}: not UTF-8 text (byte {data[error.start]:#04x}) and not "
            "Windows-1252 either; save it as CSV in UTF-8."
        ) from error
    first = _FOREIGN.search(text)
    at = first.start() if first else 0
    start = max(text.rfind(mark, 0, at) for mark in "\n\r,;\t|") + 1
    example = re.split(r"[\n\r,;\t|]", text[start:], maxsplit=1)[0]
    return text, (
        f"it is not UTF-8 (line {line}) and is read as Windows-1252, e.g. "
        f"{quoted(example)}. If that is misspelt, save it as CSV in UTF-8.",
    )


def _refuse_what_is_no_text(data: bytes, path: Path) -> None:
    for start, what in _NO_TABLES:
        if data.startswith(start) and (_CONTROL.search(data[:64].decode("latin-1"))):
            raise InputError(
                f"{path} is no table: it is {what}. Expected CSV, JSON lines, Excel or "
                "Parquet."
            )


def _wide(data: bytes) -> str:
    """Return UTF-16's name where every second byte of mostly ASCII text is zero."""
    sample = data[:4096]
    if len(data) % 2 or b"\0" not in sample:
        return ""
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    if second > 0.4 * len(sample) / 2 and not first:
        return "utf-16-le"
    if first > 0.4 * len(sample) / 2 and not second:
        return "utf-16-be"
    return ""


def _line(data: bytes, error: UnicodeDecodeError) -> int:
    return data.count(b"\n", 0, error.start) + 1
