"""What EXIF or XMP says of how a picture is held; nothing else of them is read.

Whatever they hold (damage, odd types, wrong counts), nothing here raises.
"""

import dataclasses
import re
import struct
from typing import Any

from PIL import Image

UPRIGHT = 1
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x112
_LONG = 4
SHORT = 3  # TIFF's number for a type of two bytes
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(="|>)([0-9])')


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture upright."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def of_image(image: Image.Image) -> int:
    """Return the orientation that a loaded image's EXIF or XMP states, else 1.

    Decoders of HEIF and JPEG XL turn the picture themselves; of JPEG XL only a JPEG that
    was packed into it keeps its own orientation.
    """
    if image.format == "HEIF":
        return UPRIGHT
    if image.format == "JXL" and not getattr(image, "jpeg", False):
        return UPRIGHT
    exif = image.info.get("exif")
    if exif is None:
        exif = _unhexed(image.info.get("Raw profile type exif"))
    xmp = image.info.get("XML:com.adobe.xmp") or image.info.get("xmp")
    return of_blocks(exif, xmp)


def of_blocks(exif: Any, xmp: Any) -> int:
    """Return the orientation of an EXIF block, or of XMP where that has none."""
    if isinstance(exif, bytes):
        while exif.startswith(b"Exif\0\0"):
            exif = exif[6:]
        stated = stated_in(directory(exif), exif)
        if stated is not None:
            return stated
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8", "replace")
    match = _XMP_ORIENTATION.search(xmp) if isinstance(xmp, bytes) else None
    return _valid(int(match[2])) if match else UPRIGHT


def _valid(orientation: int) -> int:
    return orientation if orientation in _TURNS else UPRIGHT


def _unhexed(text: Any) -> bytes | None:
    """Return the EXIF block that old software wrote into PNG as hexadecimal text."""
    if not isinstance(text, str):
        return None
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return None


@dataclasses.dataclass(frozen=True)
class Directory:
    """The first directory of a TIFF or an EXIF block.

    Attributes:
        order: `<` or `>`.
        place: Where it begins: its count of entries.
        count: Format of that count.
        entries: Tag, type, count and value or its place; and the whole entry's bytes.
        end: Where the entries end: the place of the next directory follows.
    """

    order: str
    place: int
    count: str
    entries: list[tuple[int, int, int, bytes, bytes]]
    end: int


def directory(data: bytes) -> Directory | None:
    """Read a directory as far as it goes; None where there is none."""
    if data[:2] not in (b"II", b"MM") or len(data) < 10:
        return None
    order = "<" if data[:2] == b"II" else ">"
    big = 43 in data[2:4]
    if not big and 42 not in data[2:4]:
        return None
    count, entry, width = ("Q", "HHQ", 20) if big else ("H", "HHI", 12)
    try:
        (place,) = struct.unpack_from(
            order + "Q" if big else order + "I", data, 8 if big else 4
        )
        (n,) = struct.unpack_from(order + count, data, place)
    except struct.error:
        return None
    start, size = place + struct.calcsize(count), struct.calcsize("=" + entry)
    entries = []
    for at in range(start, min(start + n * width, len(data) - width + 1), width):
        tag, kind, length = struct.unpack_from(order + entry, data, at)
        raw = data[at : at + width]
        entries.append((tag, kind, length, raw[size:], raw))
    return Directory(order, place, count, entries, start + n * width)


def stated_in(ifd: Directory | None, data: bytes) -> int | None:
    """Return the orientation of a TIFF directory; None where it states none at all."""
    if ifd is None:
        return None
    stated = None
    for tag, kind, length, value, _ in ifd.entries:
        if tag != _ORIENTATION:
            continue
        stated = UPRIGHT
        if kind not in (SHORT, _LONG) or not length:
            continue
        form = ifd.order + ("H" if kind == SHORT else "I")
        if length * struct.calcsize(form) > len(value):
            at = int.from_bytes(value, "little" if ifd.order == "<" else "big")
            value = data[at : at + 4]
        if len(value) >= struct.calcsize(form):
            stated = _valid(struct.unpack_from(form, value)[0])
    return stated
