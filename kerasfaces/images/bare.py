"""A file's bytes -> the same pixels without metadata, for readers that trip over them.

Pillow gives up a file over a resolution that is text, a comment that is too long or a
checksum of no importance.
"""

import contextlib
import dataclasses
import re
import struct
from collections.abc import Iterator
from typing import Literal

from kerasfaces.images import orientation
from kerasfaces.images.kinds import TIFF

_XMP, _ICC = 700, 34675
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


@dataclasses.dataclass(frozen=True)
class Bare:
    """A file's pixels without its metadata.

    Attributes:
        data: A file that holds the same pixels.
        orientation: 1..8, as the metadata said; None where the decoder still knows it.
        has_exif: There was an EXIF block; in a TIFF it is part of the file.
        is_raw: It is a camera's raw file, and `data` holds but its preview.
    """

    data: bytes
    orientation: int | None
    has_exif: bool = False
    is_raw: bool = False


def bare(data: bytes, keep_profile: bool) -> Bare | None:
    """Return a file's pixels alone; None where its kind is not known here.

    Args:
        data: JPEG, PNG, WebP, TIFF, or HEIF and AVIF.
        keep_profile: Leave the colour profile in.
    """
    with contextlib.suppress(struct.error, IndexError):
        if data.startswith(b"\xff\xd8"):
            return _bare_jpeg(data, keep_profile)
        if data.startswith(_PNG_SIGNATURE):
            return _bare_png(data, keep_profile)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _bare_webp(data, keep_profile)
        if data.startswith(TIFF):
            return bare_tiff(data, keep_profile)
        if data[4:8] == b"ftyp":
            return Bare(_without_exif(data), None)
    return None


def bare_tiff(data: bytes, keep_profile: bool = True) -> Bare | None:
    """Return a TIFF whose first directory holds what pixels need, and its orientation.

    Pillow's reader of TIFF turns the picture by rewriting all tags, and fails on any that
    it cannot write: so every TIFF goes through here.
    """
    directory = orientation.directory(data)
    if directory is None or not directory.entries:
        return None
    kept, tags, xmp = [], dict[int, int](), b""
    ending: Literal["little", "big"] = "little" if directory.order == "<" else "big"
    for tag, kind, length, value, raw in directory.entries:
        tags[tag] = int.from_bytes(
            value[:2] if kind == orientation.SHORT else value, ending
        )
        is_profile = tag == _ICC and kind in _BYTES and keep_profile
        if tag in _PIXEL_TAGS or is_profile:
            kept.append(raw)
        if tag == _XMP and kind in _BYTES and length > len(value):
            xmp = data[tags[tag] : tags[tag] + length]
    stated = orientation.stated_in(directory, data)
    width = 8 if directory.count == "Q" else 4
    following = data[directory.end : directory.end + width].ljust(width, b"\0")
    count = struct.pack(directory.order + directory.count, len(kept))
    shorter = count + b"".join(kept) + following
    is_preview = tags.get(_SUBFILE_TYPE, 0) & 1 and _SUB_DIRECTORIES in tags
    return Bare(
        data[: directory.place] + shorter + data[directory.place + len(shorter) :],
        orientation.of_blocks(None, xmp) if stated is None else stated,
        is_raw=_DNG_VERSION in tags or bool(is_preview),
    )


def _bare_jpeg(data: bytes, keep_profile: bool) -> Bare | None:
    """Drop comments and application segments, but those that say which colours it has."""
    kept, exif, xmp, at = [b"\xff\xd8"], b"", b"", 2
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xDA:  # the pixels begin
            kept.append(data[at:])
            return Bare(b"".join(kept), orientation.of_blocks(exif, xmp), bool(exif))
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
            kept.append(data[at:end])
        at = end


def _bare_png(data: bytes, keep_profile: bool) -> Bare:
    kept, exif, xmp = [_PNG_SIGNATURE], b"", b""
    wanted = (*_PNG_PIXELS, b"iCCP") if keep_profile else _PNG_PIXELS
    at = len(_PNG_SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        chunk = data[at : at + 12 + length]
        if name in wanted:
            kept.append(chunk)
        elif name == b"eXIf":
            exif = chunk[8:-4]
        elif name == b"iTXt" and chunk[8:].startswith(b"XML:com.adobe.xmp\0"):
            xmp = chunk[8:-4]
        at += len(chunk)
    return Bare(b"".join(kept), orientation.of_blocks(exif, xmp), bool(exif))


def _bare_webp(data: bytes, keep_profile: bool) -> Bare:
    kept, exif, xmp = [], b"", b""
    dropped = {b"EXIF": 0x08, b"XMP ": 0x04} | ({} if keep_profile else {b"ICCP": 0x20})
    for name, chunk in _riff_chunks(data):
        if name == b"EXIF":
            exif = chunk[8:]
        elif name == b"XMP ":
            xmp = chunk[8:]
        elif name == b"VP8X":
            flags = chunk[8] & ~sum(dropped.values())
            chunk = chunk[:8] + bytes([flags]) + chunk[9:]
        if name not in dropped:
            kept.append(chunk)
    body = b"WEBP" + b"".join(kept)
    riff = b"RIFF" + struct.pack("<I", len(body)) + body
    return Bare(riff, orientation.of_blocks(exif, xmp), bool(exif))


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        yield name, data[at:end]
        at = end


def _without_exif(data: bytes) -> bytes:
    """Empty the EXIF blocks of an AVIF or HEIF file in place: nothing else moves."""
    emptied = bytearray(data)
    for head in _TIFF_HEAD.finditer(data):
        empty = b"\x08\0\0\0" if head[0][:1] == b"I" else b"\0\0\0\x08"
        at = head.start() + 4
        if data[at : at + 4] == empty:
            emptied[at + 4 : at + 6] = b"\0\0"
    return bytes(emptied)
