"""What metadata say of how a picture is held, and files without their metadata.

Of EXIF and XMP only the orientation is read; whatever they hold (damage, odd types, wrong
counts), reading it raises nothing. Where Pillow gives up a file over a resolution that is
text, a comment that is too long or a checksum of no importance, `strip` returns a file of
the same pixels alone.
"""

import contextlib
import re
import struct
from typing import Literal, NamedTuple

from PIL import Image

from kerasfaces.images.kinds import TIFF

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
_SHORT, _LONG = 3, 4  # TIFF's numbers for types of two and of four bytes
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(="|>)([0-9])')
_XMP, _ICC = 700, 34675  # tags
_BYTES = (1, 7)  # types of a block within a TIFF
_SUBFILE_TYPE, _SUB_DIRECTORIES, _DNG_VERSION = 254, 330, 50706
# What the pixels of a TIFF need: sizes, places, compression, colours.
_PIXEL_TAGS = frozenset(
    {*range(254, 260), 262, 263, 266, 273, *range(277, 282), 284, 292, 293, 317, 320}
    | {*range(322, 326), 332, 338, 339, 347, *range(512, 522), *range(529, 533), 50674}
)
_PNG_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
_TIFF_HEAD = re.compile(rb"(II\*\0|MM\0\*)")


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture upright."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def orientation_of_image(image: Image.Image) -> int:
    """Return the orientation that a loaded image's EXIF or XMP states, else 1.

    Decoders of HEIF and JPEG XL turn the picture themselves; of JPEG XL only a JPEG that
    was packed into it keeps its own orientation.
    """
    if image.format == "HEIF" or (
        image.format == "JXL" and not getattr(image, "jpeg", False)
    ):
        return UPRIGHT
    exif = image.info.get("exif")
    text = image.info.get("Raw profile type exif")  # of old software, in PNG
    if exif is None and isinstance(text, str):
        with contextlib.suppress(ValueError):
            exif = bytes.fromhex("".join(text.split("\n")[3:]))
    xmp = image.info.get("XML:com.adobe.xmp") or image.info.get("xmp")
    return orientation_of_blocks(exif, xmp)


def orientation_of_blocks(exif: object, xmp: object) -> int:
    """Return the orientation of an EXIF block, or of XMP where that has none."""
    if isinstance(exif, bytes):
        while exif.startswith(b"Exif\0\0"):
            exif = exif[6:]
        stated = orientation_in(directory(exif), exif)
        if stated is not None:
            return stated
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8", "replace")
    match = _XMP_ORIENTATION.search(xmp) if isinstance(xmp, bytes) else None
    return _valid(int(match[2])) if match else UPRIGHT


def _valid(orientation: int) -> int:
    return orientation if orientation in _TURNS else UPRIGHT


class Directory(NamedTuple):
    """The first directory of a TIFF or an EXIF block."""

    order: Literal["<", ">"]
    place: int  # of its first byte, where its count of entries stands
    count_format: str
    entries: list[tuple[int, int, int, bytes, bytes]]
    # ^ tag, type, count and value or its place; and the whole entry's bytes
    end: int  # behind its entries, where the next directory's offset stands

    def number(self, value: bytes) -> int:
        """Return the whole number that a field's bytes are."""
        return int.from_bytes(value, "little" if self.order == "<" else "big")


def directory(data: bytes) -> Directory | None:
    """Read a directory as far as it goes; None where there is none."""
    if data[:2] not in (b"II", b"MM") or len(data) < 10:
        return None
    order: Literal["<", ">"] = "<" if data[:2] == b"II" else ">"
    if 43 in data[2:4]:  # BigTIFF
        at, offset, count, entry, width = 8, "Q", "Q", "HHQ", 20
    elif 42 in data[2:4]:
        at, offset, count, entry, width = 4, "I", "H", "HHI", 12
    else:
        return None
    try:
        (place,) = struct.unpack_from(order + offset, data, at)
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


def orientation_in(ifd: Directory | None, data: bytes) -> int | None:
    """Return the orientation of a TIFF directory; None where it states none at all."""
    if ifd is None:
        return None
    stated = None
    for tag, kind, length, value, _ in ifd.entries:
        if tag != _ORIENTATION:
            continue
        stated = UPRIGHT
        if kind not in (_SHORT, _LONG) or not length:
            continue
        form = ifd.order + ("H" if kind == _SHORT else "I")
        if length * struct.calcsize(form) > len(value):
            at = ifd.number(value)
            value = data[at : at + 4]
        if len(value) >= struct.calcsize(form):
            stated = _valid(struct.unpack_from(form, value)[0])
    return stated


class Stripped(NamedTuple):
    """A file of the same pixels without metadata."""

    data: bytes
    orientation: int | None  # 1..8, as stated; None where the decoder still knows it
    has_exif: bool = False  # there was an EXIF block; in a TIFF it is part of the file
    is_raw: bool = False  # a camera's raw file: `data` holds but its preview


def strip(data: bytes, keep_profile: bool) -> Stripped | None:
    """Return a file's pixels alone; None where its kind is not known here.

    Args:
        data: JPEG, PNG, WebP, TIFF, or HEIF and AVIF.
        keep_profile: Leave the colour profile in.
    """
    with contextlib.suppress(struct.error, IndexError):
        if data.startswith(b"\xff\xd8"):
            return _strip_jpeg(data, keep_profile)
        if data.startswith(_PNG_SIGNATURE):
            return _strip_png(data, keep_profile)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _strip_webp(data, keep_profile)
        if data.startswith(TIFF):
            return strip_tiff(data, keep_profile)
        if data[4:8] == b"ftyp":
            return Stripped(_without_exif(data), None)
    return None


def strip_tiff(data: bytes, keep_profile: bool = True) -> Stripped | None:
    """Return a TIFF whose first directory holds what pixels need, and its orientation.

    Pillow's reader of TIFF turns the picture by rewriting all tags, and fails on any that
    it cannot write: so every TIFF goes through here.
    """
    ifd = directory(data)
    if ifd is None or not ifd.entries:
        return None
    parts, tags, xmp = [], dict[int, int](), b""
    for tag, kind, length, value, raw in ifd.entries:
        tags[tag] = ifd.number(value[:2] if kind == _SHORT else value)
        is_profile = tag == _ICC and kind in _BYTES and keep_profile
        if tag in _PIXEL_TAGS or is_profile:
            parts.append(raw)
        if tag == _XMP and kind in _BYTES and length > len(value):
            xmp = data[tags[tag] : tags[tag] + length]
    stated = orientation_in(ifd, data)
    width = 8 if ifd.count_format == "Q" else 4
    following = data[ifd.end : ifd.end + width].ljust(width, b"\0")
    count = struct.pack(ifd.order + ifd.count_format, len(parts))
    shorter = count + b"".join(parts) + following
    is_preview = tags.get(_SUBFILE_TYPE, 0) & 1 and _SUB_DIRECTORIES in tags
    return Stripped(
        data[: ifd.place] + shorter + data[ifd.place + len(shorter) :],
        orientation_of_blocks(None, xmp) if stated is None else stated,
        is_raw=_DNG_VERSION in tags or bool(is_preview),
    )


def _strip_jpeg(data: bytes, keep_profile: bool) -> Stripped | None:
    """Drop comments and application segments, but those that say which colours it has."""
    parts, exif, xmp, at = [b"\xff\xd8"], b"", b"", 2
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xDA:  # the pixels begin
            parts.append(data[at:])
            return Stripped(
                b"".join(parts), orientation_of_blocks(exif, xmp), bool(exif)
            )
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        body = data[at + 4 : end]
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            exif += body[6:]
        elif marker == 0xE1 and body.startswith(_XMP_HEAD):
            xmp = xmp or body[len(_XMP_HEAD) :]
        is_profile = marker == 0xE2 and body.startswith(b"ICC_PROFILE\0")
        is_colours = marker == 0xEE or (marker == 0xE0 and body.startswith(b"JFIF\0"))
        is_other = 0xE0 <= marker <= 0xEF or marker == 0xFE
        if is_colours or not is_other or (is_profile and keep_profile):
            parts.append(data[at:end])
        at = end


def _strip_png(data: bytes, keep_profile: bool) -> Stripped:
    parts, exif, xmp = [_PNG_SIGNATURE], b"", b""
    wanted = (*_PNG_PIXELS, b"iCCP") if keep_profile else _PNG_PIXELS
    at = len(_PNG_SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        chunk = data[at : at + 12 + length]
        if name in wanted:
            parts.append(chunk)
        elif name == b"eXIf":
            exif = chunk[8:-4]
        elif name == b"iTXt" and chunk[8:].startswith(b"XML:com.adobe.xmp\0"):
            xmp = chunk[8:-4]
        at += len(chunk)
    return Stripped(b"".join(parts), orientation_of_blocks(exif, xmp), bool(exif))


def _strip_webp(data: bytes, keep_profile: bool) -> Stripped:
    parts, exif, xmp = [], b"", b""
    dropped = {b"EXIF": 0x08, b"XMP ": 0x04} | ({} if keep_profile else {b"ICCP": 0x20})
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        chunk = data[at : at + 8 + length + length % 2]
        at += 8 + length + length % 2
        if name == b"EXIF":
            exif = chunk[8:]
        elif name == b"XMP ":
            xmp = chunk[8:]
        elif name == b"VP8X":
            flags = chunk[8] & ~sum(dropped.values())
            chunk = chunk[:8] + bytes([flags]) + chunk[9:]
        if name not in dropped:
            parts.append(chunk)
    body = b"WEBP" + b"".join(parts)
    riff = b"RIFF" + struct.pack("<I", len(body)) + body
    return Stripped(riff, orientation_of_blocks(exif, xmp), bool(exif))


def _without_exif(data: bytes) -> bytes:
    """Empty the EXIF blocks of an AVIF or HEIF file in place: nothing else moves."""
    emptied = bytearray(data)
    for head in _TIFF_HEAD.finditer(data):
        empty = b"\x08\0\0\0" if head[0][:1] == b"I" else b"\0\0\0\x08"
        at = head.start() + 4
        if data[at : at + 4] == empty:
            emptied[at + 4 : at + 6] = b"\0\0"
    return bytes(emptied)
