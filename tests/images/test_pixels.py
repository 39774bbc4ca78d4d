"""Unusual pixels through the one image loader, and what the model sees of a picture."""

import hashlib
import io
import struct

import numpy as np
import photo_files
import pytest
from photo_files import encode, pixels, png
from PIL import Image, ImageCms, ImageOps

from kerasfaces import images
from kerasfaces.core.errors import ImageError
from kerasfaces.images import InputSpec

SPEC = InputSpec(size_px=16)


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
