"""Whatever EXIF, ICC, XMP and IPTC say: the pixels are those of the bare file, turned."""

import io
import struct
import warnings
import zlib

import numpy as np
import photo_files
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from kerasfaces import images

PICTURE = photo_files.gradient()
FILES = {
    "JPEG": photo_files.encode(PICTURE, "JPEG", quality=90),
    "PNG": photo_files.encode(PICTURE, "PNG"),
    "WEBP": photo_files.encode(PICTURE, "WEBP", lossless=True),
    "TIFF": photo_files.encode(PICTURE, "TIFF"),
    "deflated TIFF": photo_files.encode(
        PICTURE, "TIFF", compression="tiff_adobe_deflate"
    ),
}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()

# Tags that programs read, write and trip over: make, resolution, dates, sub-directories
# (which may point at themselves), GPS, maker notes, thumbnails.
_KNOWN_TAGS = (
    *(0x10F, 0x110, 0x11A, 0x11B, 0x128, 0x131, 0x132, 0x213, 0x8769, 0x8825, 0xA005),
    *(0x927C, 0x201, 0x202, 0x8298, 0x9286, 0xC4A5, 0x83BB),
)
TAGS = st.sampled_from(_KNOWN_TAGS) | st.integers(0xC700, 0xFFFF)
VALUES = st.sampled_from([b"\x08\0\0\0", b"\0\0\0\x08", b"72\0\0", b"\xff" * 4]) | (
    st.binary(min_size=4, max_size=4)
)
ENTRIES = st.lists(
    st.tuples(
        TAGS,
        st.integers(0, 14) | st.just(0xFFFF),
        st.sampled_from([0, 1, 2, 5, 1000, 0x7FFFFFFF, 0xFFFFFFFF]),
        VALUES,
    ),
    max_size=8,
)


@st.composite
def orientations(draw, order):
    """An orientation entry, and what it says: 1 where it says nothing valid."""
    value = draw(st.integers(0, 9) | st.sampled_from([255, 65535]))
    valid = value if value in photo_files.TURNS else 1
    forms = [
        ((0x112, 3, 1, struct.pack(f"{order}HH", value, 0)), valid),
        ((0x112, 4, 1, struct.pack(f"{order}I", value)), valid),
        ((0x112, 2, 2, b"6\0\0\0"), 1),  # text
        ((0x112, 3, 0, struct.pack(f"{order}HH", value, 0)), 1),  # no value
        ((0x112, 11, 1, struct.pack(f"{order}f", 6)), 1),  # a fraction
        ((0x112, 77, 1, b"\6\0\0\0"), 1),  # no such type
    ]
    return draw(st.sampled_from(forms))


@st.composite
def exif_blocks(draw, order=None):
    """Entries, the whole block, and the orientation it states."""
    order = order or draw(st.sampled_from("<>"))
    entry, stated = draw(orientations(order) | st.just((None, 1)))
    entries = draw(ENTRIES)
    if entry:
        entries.insert(draw(st.integers(0, len(entries))), entry)
    return (
        entries,
        photo_files.exif_block(entries, order, draw(st.integers(0, 60))),
        stated,
    )


@st.composite
def profiles(draw):
    """A colour profile that is damaged, or of a picture of other colours."""
    kind = draw(st.sampled_from(["noise", "cut", "space", "lab"]))
    if kind == "noise":
        return draw(st.binary(min_size=1, max_size=200))
    if kind == "cut":
        return SRGB[: draw(st.integers(1, 127))]
    if kind == "lab":
        return LAB
    return (
        SRGB[:16]
        + draw(st.sampled_from([b"CMYK", b"GRAY", b"XYZ ", b"\0\0\0\0"]))
        + SRGB[20:]
    )


XMP = st.sampled_from([b"", b"<x:xmpmeta", b"\xff\xfe\0", b"<a>" * 50]) | st.binary(
    max_size=60
)
IPTC = st.binary(max_size=60)


def pixels(data):
    return np.asarray(images.decode(data))


def expected(kind, orientation):
    return photo_files.TURNS.get(orientation, lambda a: a)(pixels(FILES[kind]))


@given(exif_blocks(), profiles(), XMP, IPTC, st.booleans())
@settings(deadline=None, max_examples=120, derandomize=True)
def test_jpeg(exif, profile, xmp, iptc, twice):
    _, block, stated = exif
    segments = [
        (0xE1, b"Exif\0\0" + block),
        (0xE2, b"ICC_PROFILE\0\1\1" + profile),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp),
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0" + iptc),
        (0xFE, iptc),
    ]
    if twice:
        segments.append((0xED, iptc))
    data = photo_files.jpeg_with(FILES["JPEG"], segments)
    assert np.array_equal(pixels(data), expected("JPEG", stated))
    assert images.probe(data)["has_exif"]


@given(exif_blocks(), profiles(), XMP, IPTC, st.integers(0, 6), st.booleans())
@settings(deadline=None, max_examples=120, derandomize=True)
def test_png(exif, profile, xmp, iptc, damaged, short):
    _, block, stated = exif
    bodies = {
        b"eXIf": block,
        b"iCCP": b"profile\0\0" + (profile if short else zlib.compress(profile)),
        b"iTXt": b"XML:com.adobe.xmp\0\0\0\0\0" + xmp,
        b"zTXt": b"Raw profile type iptc\0\0" + iptc,
        b"tEXt": b"Raw profile type exif\0" + iptc,
        b"pHYs": iptc[:9],
        b"cHRM": iptc[:30],
    }
    chunks = [
        photo_files.png_chunk(name, body, damaged=number == damaged)
        for number, (name, body) in enumerate(bodies.items())
    ]
    data = photo_files.png_with(FILES["PNG"], chunks)
    assert np.array_equal(pixels(data), expected("PNG", stated))
    assert images.probe(data)["width_px"] == 40


@given(exif_blocks(), profiles(), XMP)
@settings(deadline=None, max_examples=80, derandomize=True)
def test_webp(exif, profile, xmp):
    _, block, stated = exif
    data = photo_files.encode(
        PICTURE, "WEBP", lossless=True, exif=block, icc_profile=profile, xmp=xmp
    )
    assert np.array_equal(pixels(data), expected("WEBP", stated))


@given(
    exif_blocks(order="<"),
    st.sampled_from(["TIFF", "deflated TIFF"]),
    st.sampled_from([None, 1, 2, 7, 12]),
    st.sampled_from([None, 1, 2, 4, 7]),
)
@settings(deadline=None, max_examples=120, derandomize=True)
def test_tiff(exif, kind, profile_type, xmp_type):
    entries, _, stated = exif
    if profile_type is not None:
        entries = [*entries, (34675, profile_type, 40, b"\x08\0\0\0")]
    if xmp_type is not None:
        entries = [*entries, (700, xmp_type, 40, b"\x08\0\0\0")]
    data = photo_files.tiff_with(FILES[kind], entries)
    assert np.array_equal(pixels(data), expected(kind, stated))
    assert images.probe(data)["format"] == "TIFF"


@given(exif_blocks(), st.integers(0, 200), st.sampled_from(["JPEG", "WEBP", "PNG"]))
@settings(deadline=None, max_examples=80, derandomize=True)
def test_truncated_blocks(exif, length, kind):
    """As much of a block as there is may state an orientation, or not; nothing else."""
    _, block, stated = exif
    block = block[:length]
    if kind == "JPEG":
        data = photo_files.jpeg_with(FILES[kind], [(0xE1, b"Exif\0\0" + block)])
    elif kind == "PNG":
        chunk = photo_files.png_chunk(b"eXIf", block)
        data = photo_files.png_with(FILES[kind], [chunk])
    else:
        data = photo_files.encode(PICTURE, kind, lossless=True, exif=block or b"E")
    found = pixels(data)
    turns = [expected(kind, each) for each in (1, stated)]
    assert any(np.array_equal(found, each) for each in turns)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_xmp_alone_may_state_the_orientation(kind, orientation):
    text = f'<rdf:Description tiff:Orientation="{orientation}"/>'.encode()
    if kind == "JPEG":
        body = b"http://ns.adobe.com/xap/1.0/\0" + text
        data = photo_files.jpeg_with(FILES[kind], [(0xE1, body)])
    else:
        body = b"XML:com.adobe.xmp\0\0\0\0\0" + text
        data = photo_files.png_with(FILES[kind], [photo_files.png_chunk(b"iTXt", body)])
    assert np.array_equal(pixels(data), expected(kind, orientation))


@pytest.mark.parametrize("kind", FILES)
def test_an_irrelevant_tag_that_cannot_be_written_again(kind):
    """Orientation 6, and a resolution given as text."""
    entries = [photo_files.orientation_entry(6), (0x11A, 2, 3, b"72\0\0")]
    block = photo_files.exif_block(entries)
    if kind.endswith("TIFF"):
        data = photo_files.tiff_with(FILES[kind], entries)
    elif kind == "JPEG":
        data = photo_files.jpeg_with(FILES[kind], [(0xE1, b"Exif\0\0" + block)])
    elif kind == "PNG":
        data = photo_files.png_with(
            FILES[kind], [photo_files.png_chunk(b"eXIf", block)]
        )
    else:
        data = photo_files.encode(PICTURE, kind, lossless=True, exif=block)
    assert np.array_equal(pixels(data), expected(kind, 6))


def test_a_comment_that_unpacks_to_gigabytes_costs_no_picture():
    bomb = b"Comment\0\0" + zlib.compress(b"\0" * (64 * 2**20 + 1), 9)
    chunk = photo_files.png_chunk(b"zTXt", bomb)
    data = photo_files.png_with(FILES["PNG"], [chunk])
    assert np.array_equal(pixels(data), expected("PNG", 1))


def test_a_colour_profile_survives_damage_of_other_blocks():
    wide = bytearray(SRGB)
    linear = images_profile(bytes(wide))
    whole = photo_files.encode(PICTURE, "PNG", icc_profile=linear)
    chunk = photo_files.png_chunk(b"tEXt", b"Comment\0x", damaged=True)
    assert not np.array_equal(pixels(whole), pixels(FILES["PNG"]))
    assert np.array_equal(pixels(photo_files.png_with(whole, [chunk])), pixels(whole))


def images_profile(profile):
    """sRGB with another curve: gamma 1."""
    made, (count,) = bytearray(profile), struct.unpack(">I", profile[128:132])
    for number in range(count):
        name, place, _ = struct.unpack_from(">4sII", made, 132 + 12 * number)
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            made[place : place + 16] = struct.pack(">4sIHHI", b"para", 0, 0, 0, 65536)
    return bytes(made)


def test_a_turned_avif_with_odd_exif():
    """Orientation is stored beside EXIF there, and Pillow writes it into EXIF again."""
    exif = Image.Exif()
    exif[0x112], exif[0x10F] = 6, "72"
    clean = photo_files.encode(PICTURE, "AVIF", exif=exif, quality=100)
    make, resolution = struct.pack("<HH", 0x10F, 2), struct.pack("<HH", 0x11A, 2)
    if make not in clean:
        make, resolution = struct.pack(">HH", 0x10F, 2), struct.pack(">HH", 0x11A, 2)
    assert clean.count(make) == 1
    odd = clean.replace(make, resolution)
    assert images.decode(clean).size == (24, 40)
    assert np.array_equal(pixels(odd), pixels(clean))


def test_nothing_is_warned_about():
    block = photo_files.exif_block([(0x10F, 2, 1000, b"\xff" * 4)])
    data = photo_files.jpeg_with(FILES["JPEG"], [(0xE1, b"Exif\0\0" + block)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images.probe(data)
        assert images.decode(data).size == (40, 24)


def test_lab_and_ycbcr_tiffs_are_read():
    profile = ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(
        PICTURE, ImageCms.createProfile("sRGB"), profile, outputMode="LAB"
    )
    # Pillow before 13 does not read the YCbCr TIFF that it writes.
    others = [PICTURE.convert("YCbCr")] if PIL.__version__ >= "13" else []
    for image in (lab, *others):
        found = pixels(photo_files.encode(image, "TIFF")).astype(int)
        assert np.abs(found - np.asarray(PICTURE, int)).mean() < 4


def test_cmyk_of_adobe_is_inverted():
    data = photo_files.encode(PICTURE.convert("CMYK"), "JPEG", quality=95)
    with Image.open(io.BytesIO(data)) as opened:
        inverted = Image.eval(opened, lambda value: 255 - value)
    plain = np.asarray(PICTURE, int)
    assert np.abs(pixels(data).astype(int) - plain).mean() < 12
    stored = photo_files.encode(inverted, "TIFF")
    assert np.abs(pixels(stored).astype(int) - (255 - plain)).mean() > 12
