"""Hostile files through the one image loader: the right pixels, or one short reason."""

import hashlib
import io
import os
import struct
import threading
import zlib
from contextlib import suppress

import numpy as np
import photo_files
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, ImageOps

from kerasfaces import images
from kerasfaces.core.errors import ImageError
from kerasfaces.images import InputSpec

SPEC = InputSpec(size_px=16)


def encode(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def gradient():
    """A picture in which every corner differs, `(24, 40, 3)`."""
    y, x = np.mgrid[0:24, 0:40]
    return Image.fromarray(
        np.stack([x * 6, y * 10, 255 - x * 3 - y * 3], axis=-1).astype(np.uint8)
    )


def pixels(image):
    return np.asarray(image, dtype=np.int64)


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


def png(width, height, *, depth=8, colour=0, rows=b""):
    """A PNG file whose header says what it says, whether or not pixels follow."""

    def chunk(name, body):
        crc = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + crc

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


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


# Unusual pixels


def test_cmyk(gradient):
    plain = encode(gradient.convert("CMYK"), "JPEG", quality=95)
    image = images.decode(plain)
    assert image.mode == "RGB"
    assert np.abs(pixels(image) - pixels(gradient)).mean() < 12


def test_cmyk_with_a_profile_that_does_not_fit_is_still_read(gradient):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encode(gradient.convert("CMYK"), "JPEG", quality=95, icc_profile=srgb)
    assert np.abs(pixels(images.decode(data)) - pixels(gradient)).mean() < 12


def display_profile(gamma=1.0):
    """A minimal matrix profile: sRGB primaries with another gamma."""
    profile = bytearray(
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    )
    count = struct.unpack(">I", profile[128:132])[0]
    for number in range(count):
        at = 132 + 12 * number
        name, offset, _ = struct.unpack(">4sII", profile[at : at + 12])
        if name in (b"rTRC", b"gTRC", b"bTRC"):  # a curve with one entry: the gamma
            curve = struct.pack(">4sIHIH", b"para", 0, 0, int(gamma * 65536), 0)
            profile[offset : offset + 12] = curve[:10] + curve[10:12]
            profile[offset : offset + 16] = struct.pack(
                ">4sIHHI", b"para", 0, 0, 0, int(gamma * 65536)
            )
    return bytes(profile)


def test_profile_is_applied(gradient):
    linear = display_profile(1.0)
    converted = pixels(images.decode(encode(gradient, icc_profile=linear)))
    assert images.probe(encode(gradient, icc_profile=linear))["has_icc"]
    value = pixels(gradient)[10, 20, 0] / 255
    expected = 255 * (1.055 * value ** (1 / 2.4) - 0.055)
    assert abs(converted[10, 20, 0] - expected) < 6


def test_srgb_profile_and_damaged_profile_change_nothing(gradient):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, srgb[:100], b"nonsense"):
        data = encode(gradient, icc_profile=profile)
        assert np.abs(pixels(images.decode(data)) - pixels(gradient)).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey(kind):
    values = np.linspace(0, 65535, 24 * 24).reshape(24, 24).astype(np.uint16)
    image = images.decode(encode(Image.fromarray(values), kind))
    assert image.mode == "RGB"
    assert np.array_equal(pixels(image)[..., 0], np.rint(values / 257.0))


def test_16_bit_colour_png():
    """Pillow itself reduces 16-bit RGB; the picture must come out, not black or wrapped."""
    row = b"\0" + struct.pack(">3H", 65535, 32896, 0) * 4
    data = png(4, 4, depth=16, colour=2, rows=row * 4)
    assert pixels(images.decode(data))[0, 0].tolist() == [255, 128, 0]


def test_float_tiff():
    values = np.linspace(0, 1, 16 * 16, dtype=np.float32).reshape(16, 16)
    image = images.decode(encode(Image.fromarray(values), "TIFF"))
    assert np.array_equal(pixels(image)[..., 0], np.rint(values * 255))


def test_one_bit_and_grey():
    bits = Image.fromarray(np.eye(8, dtype=bool))
    assert set(np.unique(pixels(images.decode(encode(bits))))) == {0, 255}
    grey = Image.new("L", (8, 8), 77)
    assert (pixels(images.decode(encode(grey))) == 77).all()


def test_alpha_is_flattened_on_white(gradient):
    image = gradient.convert("RGBA")
    image.putalpha(0)
    assert (pixels(images.decode(encode(image))) == 255).all()
    image.putalpha(128)
    half = pixels(images.decode(encode(image)))
    assert np.abs(half - (pixels(gradient) + 255) / 2).max() <= 2
    grey = Image.new("LA", (4, 4), (0, 0))
    assert (pixels(images.decode(encode(grey))) == 255).all()


def test_palette_with_transparency(gradient):
    image = gradient.quantize(16)
    data = encode(image, transparency=0)
    out = pixels(images.decode(data))
    clear = pixels(image) == 0
    assert (out[clear] == 255).all()
    assert np.array_equal(out[~clear], pixels(image.convert("RGB"))[~clear])
    opaque = pixels(images.decode(encode(image)))
    assert np.array_equal(opaque, pixels(image.convert("RGB")))


def test_key_colour_transparency():
    image = Image.new("RGB", (4, 4), (10, 20, 30))
    image.putpixel((0, 0), (1, 2, 3))
    out = pixels(images.decode(encode(image, transparency=(1, 2, 3))))
    assert out[0, 0].tolist() == [255, 255, 255]
    assert out[1, 1].tolist() == [10, 20, 30]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_an_animation(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert images.probe(data)["n_frames"] == 3
    assert pixels(images.decode(data))[4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation(gradient, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}
    stored = encode(gradient, kind, exif=exif, **options.get(kind, {}))
    with Image.open(io.BytesIO(stored)) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    found = images.decode(stored)
    assert found.size == ((24, 40) if orientation > 4 else (40, 24))
    assert np.array_equal(pixels(found), pixels(upright))
    turn = photo_files.TURNS[orientation]
    assert np.abs(pixels(found) - turn(pixels(gradient))).max() <= 12


def test_damaged_exif_is_no_reason_to_lose_the_picture(gradient):
    data = encode(
        gradient, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\1" * 30
    )
    assert images.decode(data).size == (40, 24)


# What the model sees


def test_array_shape_crop_and_value_range(gradient):
    array = images.to_array(gradient, SPEC)
    assert (array.shape, array.dtype) == ((16, 16, 3), np.uint8)
    square = gradient.crop((8, 0, 32, 24)).resize((16, 16), Image.Resampling.BICUBIC)
    assert np.array_equal(array, np.asarray(square))
    stretched = images.to_array(gradient, InputSpec(size_px=16, crop="none"))
    whole = gradient.resize((16, 16), Image.Resampling.BICUBIC)
    assert np.array_equal(stretched, np.asarray(whole))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_extreme_shapes(size):
    image = Image.new("RGB", size, (9, 99, 199))
    array = images.to_array(image, SPEC)
    assert array.shape == (16, 16, 3)
    assert (array == [9, 99, 199]).all()


def test_resize_is_antialiased():
    """Fine noise shrinks to its mean; picking single pixels would keep its spread."""
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    for name in ("bilinear", "bicubic", "lanczos"):
        spec = InputSpec(size_px=32, filter=name)
        assert images.to_array(Image.fromarray(noise), spec).std() < 12


def test_golden_array_from_arrays():
    """Resampling from an array, byte for byte: fails when Pillow or the recipe changes."""
    y, x = np.mgrid[0:50, 0:70]
    source = np.stack([x * 3 % 256, y * 5 % 256, (x * y) % 256], -1).astype(np.uint8)
    array = images.to_array(Image.fromarray(source), InputSpec(size_px=24))
    assert hashlib.sha256(array.tobytes()).hexdigest() == (
        "275ca022c12d8c9d9b3b230c3ecb846186b728fcae983926b9f6eae8c370152d"
    )


def test_load_array_is_decode_and_to_array(tmp_path, gradient):
    path = tmp_path / "a.png"
    gradient.save(path)
    expected = images.to_array(images.decode(path.read_bytes()), SPEC)
    assert np.array_equal(images.load_array(path, SPEC), expected)
    assert (
        images.sha256(path.read_bytes())
        == hashlib.sha256(path.read_bytes()).hexdigest()
    )


def test_recipe_names_what_decides_the_pixels():
    recipe = InputSpec(size_px=99, crop="none", filter="lanczos").recipe()
    assert recipe["size_px"] == 99
    assert {"crop", "filter", "loader", "pillow"} <= set(recipe)


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


@pytest.mark.parametrize(("value", "expected"), [(200, 200), (65535, 255)])
def test_32_bit_integers_keep_their_brightness(tmp_path, value, expected):
    path = tmp_path / "grey.tif"
    Image.fromarray(np.full((40, 40), value, np.int32)).save(path)
    assert np.unique(images.load(path)).tolist() == [expected]


def test_32_bit_integers_of_unknown_range_are_refused(tmp_path):
    path = tmp_path / "grey.tif"
    Image.fromarray(np.full((40, 40), 70_000, np.int32)).save(path)
    with pytest.raises(ImageError, match="unknown range"):
        images.load(path)
