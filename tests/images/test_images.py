"""Hostile files through the one image loader: the right pixels, or one short reason."""

import hashlib
import os
import threading
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_files import encode, pixels, png
from PIL import Image, ImageFile

from kerasfaces import images
from kerasfaces.core.errors import ImageError
from kerasfaces.images import InputSpec

SPEC = InputSpec(size_px=16)


def test_plain_png_is_untouched(gradient):
    assert np.array_equal(pixels(images.decode(encode(gradient))), pixels(gradient))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM"])
def test_formats(gradient, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(gradient, kind, **options)
    image = images.decode(data)
    assert (image.mode, image.size) == ("RGB", (40, 24))
    assert np.abs(pixels(image) - pixels(gradient)).mean() < 8
    facts = images.probe(data)
    assert (facts["width_px"], facts["height_px"], facts["n_frames"]) == (40, 24, 1)
    assert facts["n_bytes"] == len(data)


def test_jpeg_facts(gradient):
    data = encode(gradient, "JPEG", quality=75, subsampling=2, progressive=True)
    facts = images.probe(data)
    assert (facts["format"], facts["subsampling"]) == ("JPEG", "4:2:0")
    assert facts["progressive"]
    assert len(facts["quantization"][0]) == 64
    assert not facts["has_exif"]
    assert (
        images.probe(encode(gradient, "JPEG", subsampling=0))["subsampling"] == "4:4:4"
    )


# Not images


def test_empty_text_and_noise(tmp_path):
    with pytest.raises(ImageError, match="not an image"):
        images.decode(b"This is a text, not a picture.")
    with pytest.raises(ImageError, match="not an image"):
        images.decode(b"")
    with pytest.raises(ImageError, match="not an image"):
        images.probe(b"\0" * 100)
    empty = tmp_path / "zero.jpg"
    empty.touch()
    with pytest.raises(ImageError, match=r"^empty file$"):
        images.load(empty)
    text = tmp_path / "text.jpg"
    text.write_text("<html>404</html>")
    with pytest.raises(ImageError, match="not an image"):
        images.load(text)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated(kind, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encode(Image.fromarray(noise), kind)
    with pytest.raises(ImageError, match=r"decode|not an image"):
        images.decode(data[: int(len(data) * share)])


def test_truncation_is_an_error_even_when_another_library_allows_it(
    gradient, monkeypatch
):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = encode(gradient.resize((200, 200)), "JPEG", quality=95)
    with pytest.raises(ImageError, match="truncated"):
        images.decode(data[: len(data) // 2])


@given(st.binary(max_size=300), st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF"]))
@settings(deadline=None, max_examples=80)
def test_damaged_bytes_never_raise_anything_else(damage, kind):
    whole = bytearray(encode(Image.linear_gradient("L").resize((20, 20)), kind))
    where = int(hashlib.sha256(damage).hexdigest(), 16) % len(whole)
    whole[where : where + len(damage)] = damage
    for read in (images.decode, images.probe):
        with suppress(ImageError):
            assert read(bytes(whole))


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=40)
def test_reasons_are_one_short_line(noise):
    with pytest.raises(ImageError, match=r"^.{5,250}$"):
        images.decode(noise)


@pytest.mark.parametrize("side", [14_000, 20_000, 60_000])
def test_bomb_is_refused_from_its_header(side):
    for read in (images.decode, images.probe):
        with pytest.raises(ImageError, match=f"more than {images.MAX_PIXELS} pixels"):
            read(png(side, side))


def test_large_but_allowed_sizes_are_read_without_a_warning(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow warns above
    assert images.decode(encode(Image.new("RGB", (40, 40)))).size == (40, 40)


# Not regular files


def test_folder_fifo_and_missing(tmp_path):
    with pytest.raises(ImageError, match=r"^not a regular file$"):
        images.load(tmp_path)
    fifo = tmp_path / "pipe.jpg"
    os.mkfifo(fifo)
    done = threading.Event()

    def read():
        with pytest.raises(ImageError, match=r"^not a regular file$"):
            images.load(fifo)
        done.set()

    threading.Thread(target=read, daemon=True).start()
    assert done.wait(5), "reading a fifo blocks"
    with pytest.raises(ImageError, match=r"^file not found$"):
        images.load(tmp_path / "none.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match=r"^broken link$"):
        images.load(tmp_path / "dangling.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        images.load(tmp_path / "loop.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        images.load(tmp_path / "nul\0.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        images.load(tmp_path / ("x" * 300 + ".jpg"))


def test_huge_files_are_not_read(tmp_path):
    sparse = tmp_path / "huge.jpg"
    with sparse.open("wb") as file:
        file.truncate(images.MAX_FILE_BYTES + 1)
    with pytest.raises(ImageError, match="limit 512 MB"):
        images.load(sparse)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permissions(tmp_path, gradient):
    path = tmp_path / "locked.png"
    gradient.save(path)
    path.chmod(0)
    with pytest.raises(ImageError, match="Permission denied"):
        images.load(path)


@pytest.mark.parametrize(
    "name",
    [
        "with space.png",
        "ünï 😀.png",
        "new\nline.png",
        "-dash.png",
        "a.b.c.png",
        "%s.png",
    ],
)
def test_names(tmp_path, gradient, name):
    path = tmp_path / name
    gradient.save(path)
    assert np.array_equal(pixels(images.load(path)), pixels(gradient))


def test_a_name_that_is_not_utf8(tmp_path, gradient):
    path = tmp_path / os.fsdecode(b"latin-\xfc.png")
    path.write_bytes(encode(gradient))
    assert images.load(path).size == (40, 24)


def test_out_of_memory_is_not_remembered(tiny_images, monkeypatch):
    from kerasfaces.dataset import cache

    path = tiny_images / "real" / "camera" / "00.png"
    spec = InputSpec(size_px=32)
    with monkeypatch.context() as patch:
        patch.setattr(ImageFile.ImageFile, "load", _no_memory)
        assert cache.cache_images([path], spec).reasons == [
            "not enough memory to decode it now"
        ]
    assert cache.cache_images([path], spec).reasons == [""]


def _no_memory(*_):
    raise MemoryError
