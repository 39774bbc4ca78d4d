"""Files written byte by byte: what people's cameras and programs write, and worse."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

TAG = struct.Struct("<HHI4s")

# EXIF's orientations, and what turns such pixels upright
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: np.rot90(a),
}


def encode(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif_block(entries, order="<", next_place=0):
    """An EXIF block with one directory; entries are (tag, type, count, 4 bytes)."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    body = b"".join(struct.pack(f"{order}HHI4s", *each) for each in entries)
    return (
        head
        + struct.pack(f"{order}IH", 8, len(entries))
        + body
        + struct.pack(f"{order}I", next_place)
    )


def orientation_entry(value, order="<"):
    return 0x112, 3, 1, struct.pack(f"{order}HH", value, 0)


def jpeg_with(data, segments):
    """A JPEG with further segments `(marker, body)` after its first two bytes."""
    made = [
        struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
        for marker, body in segments
    ]
    return data[:2] + b"".join(made) + data[2:]


def png_chunk(name, body, damaged=False):
    crc = zlib.crc32(name + body) ^ int(damaged)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)


def png_with(data, chunks):
    """A PNG with further whole chunks after its header."""
    at = 8 + 25
    return data[:at] + b"".join(chunks) + data[at:]


def tiff_with(data, entries, order="<"):
    """A TIFF with further tags in its (new) first directory."""
    (place,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, place)
    end = place + 2 + 12 * count
    old = [data[at : at + 12] for at in range(place + 2, end, 12)]
    new = [struct.pack(f"{order}HHI4s", *each) for each in entries]
    replaced = {each[:2] for each in new}
    kept = [each for each in old if each[:2] not in replaced]
    every = sorted(
        kept + new, key=lambda each: struct.unpack_from(f"{order}H", each)[0]
    )
    directory = struct.pack(f"{order}H", len(every)) + b"".join(every) + b"\0\0\0\0"
    pad = b"\0" * (len(data) % 2)
    return (
        data[:4]
        + struct.pack(f"{order}I", len(data + pad))
        + data[8:]
        + pad
        + directory
    )


def tiff_of(array, photometric=1, order="<", bits=None):
    """An uncompressed TIFF of one strip from `(h, w)` or `(h, w, c)` of any dtype."""
    array = np.ascontiguousarray(array)
    planes = array.shape[2] if array.ndim == 3 else 1
    kind = {"u": 1, "i": 2, "f": 3, "b": 1}[array.dtype.kind]
    pixels = array.astype(array.dtype.newbyteorder(order)).tobytes()
    depth = array.dtype.itemsize * 8 if bits is None else bits
    short = lambda value: struct.pack(f"{order}HH", value, 0)  # noqa: E731
    long = lambda value: struct.pack(f"{order}I", value)  # noqa: E731
    # Three values do not fit into an entry: they stand behind the header.
    several = struct.pack(f"{order}{planes}H", *[depth] * planes)
    kinds = struct.pack(f"{order}{planes}H", *[kind] * planes)
    places = 8, 8 + len(several)
    inside = lambda values, at: values.ljust(4, b"\0") if planes < 3 else long(at)  # noqa: E731
    start = 8 + len(several) + len(kinds)
    entries = [
        (256, 4, 1, long(array.shape[1])),
        (257, 4, 1, long(array.shape[0])),
        (258, 3, planes, inside(several, places[0])),
        (259, 3, 1, short(1)),
        (262, 3, 1, short(photometric)),
        (273, 4, 1, long(start)),
        (277, 3, 1, short(planes)),
        (278, 4, 1, long(array.shape[0])),
        (279, 4, 1, long(len(pixels))),
        (339, 3, planes, inside(kinds, places[1])),
    ]
    body = b"".join(struct.pack(f"{order}HHI4s", *each) for each in entries)
    at = start + len(pixels) + len(pixels) % 2
    head = (b"II*\0" if order == "<" else b"MM\0*") + long(at)
    directory = struct.pack(f"{order}H", len(entries)) + body + b"\0\0\0\0"
    return head + several + kinds + pixels.ljust(at - start, b"\0") + directory


def gradient():
    """A picture in which every corner differs, `(24, 40, 3)`."""
    y, x = np.mgrid[0:24, 0:40]
    planes = [x * 6, y * 10, 255 - x * 3 - y * 3]
    return Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8))


def pixels(image):
    return np.asarray(image, dtype=np.int64)


def png(width, height, *, depth=8, colour=0, rows=b""):
    """A PNG file whose header says what it says, whether or not pixels follow."""

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(rows), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(png_chunk, chunks, chunks.values()))
