"""Each number of sharpness measures what it is named after."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from kerasfaces.core import rng
from kerasfaces.images import sharpness


def noise(side_px=96, sigma=6.0):
    values = rng.generator(0, "sharpness").standard_normal((side_px, side_px))
    return Image.fromarray(np.clip(128 + sigma * values, 0, 255).astype(np.uint8))


def encoded(image, quality=40):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def test_white_noise_has_its_known_numbers():
    values = sharpness.measure(noise())
    assert tuple(values) == sharpness.NAMES
    assert values["noise_sigma"] == pytest.approx(6.0, rel=0.05)
    assert values["laplacian_variance"] == pytest.approx(20 * 36, rel=0.1)
    # white: the share of the frequency square outside a circle of a quarter
    assert values["high_band_share"] == pytest.approx(1 - np.pi / 16, abs=0.03)
    assert values["block_grid"] == pytest.approx(1.0, abs=0.08)


def test_blur_lowers_them_and_jpeg_leaves_its_grid():
    sharp, image = sharpness.measure(noise()), noise()
    blurred = sharpness.measure(image.filter(ImageFilter.GaussianBlur(1)))
    for name in ("laplacian_variance", "high_band_share", "noise_sigma"):
        assert blurred[name] < 0.5 * sharp[name]
    saved = encoded(image)
    assert sharpness.measure(saved)["block_grid"] > 1.2
    moved = sharpness.measure(saved.crop((3, 5, 91, 93)))
    assert moved["block_grid"] < 1.1
    assert moved["shifted_grid"] > 1.05


def test_the_grid_is_found_in_the_middle_of_a_large_picture():
    assert sharpness.measure(encoded(noise(1034)))["block_grid"] > 1.2


def test_flat_and_small_pictures():
    flat = sharpness.measure(Image.new("RGB", (64, 48), (7, 7, 7)))
    assert flat["laplacian_variance"] == 0
    assert np.isfinite(list(flat.values())).all()
    assert sharpness.measure(Image.new("RGB", (64, 23))) == {}
