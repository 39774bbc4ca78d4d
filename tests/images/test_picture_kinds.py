"""What counts as a photo in a folder, and what is said of photos that cannot be read."""

import logging
import os
import sys

import numpy as np
import photo_files
import pytest
from PIL import Image

from kerasfaces import images
from kerasfaces.core.errors import ImageError, MissingDecoderError
from kerasfaces.images import kinds
from kerasfaces.manifest.image_files import images_below

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
JXL = b"\0\0\0\x0cJXL \r\n\x87\n"


@pytest.fixture
def no_plugins(monkeypatch):
    """As after `pip install kerasfaces`, without the extra `formats`."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    kinds._brought_in.cache_clear()
    yield
    kinds._brought_in.cache_clear()


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("a.HEIC", HEIC, "pip install pillow-heif"),
        ("a.jpg", HEIC, "pip install pillow-heif"),  # renamed, not converted
        ("a.heif", HEIC.replace(b"heic", b"mif1", 1), "pip install pillow-heif"),
        ("a.jxl", JXL, "pip install pillow-jxl-plugin"),
        ("a", b"\xff\x0a" + b"\0" * 20, "pip install pillow-jxl-plugin"),
        ("a.CR2", b"II*\0\x10\0\0\0CR\2\0", "camera raw file"),
        ("a.CR3", b"\0\0\0\x18ftypcrx ", "camera raw file"),
        ("a.NEF", b"MM\0*\0\0\0\x08", "camera raw file"),
        ("a.arw", b"II*\0\x08\0\0\0", "camera raw file"),
        ("a.raf", b"FUJIFILMCCD-RAW ", "camera raw file"),
        ("a.exr", b"\x76\x2f\x31\x01", "convert it to PNG or JPEG"),
    ],
)
def test_a_photo_that_is_not_read_names_what_would(
    tmp_path, no_plugins, name, head, words
):
    path = tmp_path / name
    path.write_bytes(head.ljust(400, b"\0"))
    assert images_below(tmp_path) == [path]
    with pytest.raises(MissingDecoderError, match=words):
        images.load(path)
    with pytest.raises(MissingDecoderError, match=words):
        images.size_of(path)


@pytest.mark.parametrize(
    "tags",
    [
        [(50706, 1, 4, b"\1\4\0\0")],
        [(254, 4, 1, b"\1\0\0\0"), (330, 4, 1, b"\x08\0\0\0")],
    ],
)
def test_the_preview_in_a_raw_file_is_not_taken_for_the_photo(tags):
    """DNG and NEF are TIFFs: what a TIFF reader finds first is a thumbnail."""
    data = photo_files.tiff_with(
        photo_files.encode(photo_files.gradient(), "TIFF"), tags
    )
    for read in (images.decode, images.probe):
        with pytest.raises(MissingDecoderError, match="camera raw file"):
            read(data)


def test_no_cache_remembers_what_a_plugin_may_read_tomorrow(
    tmp_path, no_plugins, monkeypatch
):
    from kerasfaces.dataset.cache import cache_images

    path = tmp_path / "a.jpg"
    path.write_bytes(JXL.ljust(400, b"\0"))
    spec = images.InputSpec(size_px=32)
    (reason,) = cache_images([path], spec).reasons
    assert "pillow-jxl-plugin" in reason
    monkeypatch.setattr(kinds, "require_decoder", lambda head, extension="": None)
    monkeypatch.setattr(images, "decode", lambda data: photo_files.gradient())
    assert cache_images([path], spec).reasons == [""]


@pytest.mark.parametrize("lossless_jpeg", [False, True])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_jpeg_xl_is_read_upright(tmp_path, orientation, lossless_jpeg):
    pytest.importorskip("pillow_jxl")
    exif = Image.Exif()
    exif[0x112] = orientation
    picture = photo_files.gradient()
    source = tmp_path / "a.jpg"
    picture.save(source, exif=exif, quality=95, subsampling=0)
    path = tmp_path / "a.jxl"
    if lossless_jpeg:
        with Image.open(source) as opened:
            opened.save(path, lossless_jpeg=True)
        assert np.array_equal(pixels(path), pixels(source))
    else:
        picture.save(path, lossless=True)
        assert np.array_equal(pixels(path), np.asarray(picture))
    assert images.probe(path.read_bytes())["format"] == "JXL"


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_is_read_upright(tmp_path, orientation):
    pytest.importorskip("pillow_heif")
    kinds.require_decoder(HEIC)  # registers the plug-in, to write with
    exif = Image.Exif()
    exif[0x112] = orientation
    picture = photo_files.gradient().resize((160, 96))
    turned, told = tmp_path / "turned.HEIC", tmp_path / "told.HEIC"
    picture.save(told, "HEIF", exif=exif, quality=95)  # EXIF alone: HEIF ignores it
    picture.save(tmp_path / "plain.png")
    picture.save(tmp_path / "turned.png", exif=exif)
    picture.info["exif"] = exif.tobytes()
    picture.save(turned, "HEIF", quality=95)  # HEIF's own rotation, as phones write it
    for path, same in ((turned, "turned.png"), (told, "plain.png")):
        difference = np.abs(pixels(path).astype(int) - pixels(tmp_path / same))
        assert difference.mean() < 8
        assert images.probe(path.read_bytes())["format"] == "HEIF"


def test_a_damaged_heic_is_a_reason(tmp_path):
    pytest.importorskip("pillow_heif")
    path = tmp_path / "phone.HEIC"
    path.write_bytes(HEIC + photo_files.encode(photo_files.gradient(), "JPEG"))
    with pytest.raises(ImageError, match=r"HEIF photo .* pillow-heif cannot read"):
        images.load(path)


def pixels(path):
    return np.asarray(images.load(path))


@pytest.mark.parametrize(
    "name", ["a.tga", "a.psd", "a.qoi", "a.pcx", "a.TIFF", "a.bmp"]
)
def test_what_pillow_reads_is_read(tmp_path, name):
    path = tmp_path / name
    kind = {"a.psd": "PNG", "a.qoi": "QOI"}.get(name)  # Pillow writes no PSD
    photo_files.gradient().save(path, kind)
    assert images_below(tmp_path) == [path]
    assert np.array_equal(pixels(path), np.asarray(photo_files.gradient()))


def test_names_that_say_nothing_and_files_that_are_no_photos(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    photo = photo_files.encode(photo_files.gradient(), "JPEG")
    for name in ("IMG_0001", "IMG.jpg_large", "IMG.jpg~", "x.orig"):
        (tmp_path / name).write_bytes(photo)
    for name in ("notes.txt", "Thumbs.db", "README", "model.xyz", "empty"):
        (tmp_path / name).write_bytes(b"" if name == "empty" else b"words, not pixels")
    (tmp_path / "video.mov").write_bytes(photo)  # by its name alone: not opened
    os.mkfifo(tmp_path / "pipe")
    found = [path.name for path in images_below(tmp_path)]
    assert found == ["IMG.jpg_large", "IMG.jpg~", "IMG_0001", "x.orig"]
    assert "4 files count as images by their content" in caplog.text
    assert "7 other files are no images: no extension (3)" in caplog.text


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_contents_are_known_whatever_the_name(kind):
    data = photo_files.encode(photo_files.gradient(), kind)
    assert kinds.by_content(data[: kinds.HEAD_BYTES])
    kinds.require_decoder(data[: kinds.HEAD_BYTES], ".heic")  # the content rules
