"""Crop, frequencies, mixing, encoding."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from kerasfaces.core import rng
from kerasfaces.core.errors import ImageError
from kerasfaces.generate import alignment

RANDOM = rng.generator(0, "alignment")
REAL = RANDOM.integers(0, 256, (48, 64, 3), dtype=np.uint8)
FAKE = RANDOM.normal(128, 40, (48, 64, 3)).astype(np.float32)


def _spectrum(image):
    return np.fft.rfft2(image.astype(np.float64), axes=(0, 1))


def test_low_frequencies_are_the_reals_and_high_ones_the_fakes():
    fused = alignment.fuse_frequencies(REAL, FAKE, 0.4)
    radius = np.hypot(np.fft.fftfreq(48)[:, None], np.fft.rfftfreq(64)) / 0.5
    got, real, fake = map(_spectrum, (fused, REAL, FAKE))
    low, high = radius <= 0.2, radius >= 0.6
    np.testing.assert_allclose(got[low], real[low], atol=0.5)
    np.testing.assert_allclose(got[high], fake[high], atol=0.5)
    assert fused.dtype == np.float32


def test_without_a_cutoff_only_the_mean_is_the_reals():
    fused = alignment.fuse_frequencies(REAL, FAKE, 0.0)
    expected = FAKE - FAKE.mean((0, 1)) + REAL.mean((0, 1))
    np.testing.assert_allclose(fused, expected, atol=1e-2)


def test_a_blurred_fake_gets_the_reals_power_and_keeps_its_content():
    random = rng.generator(0, "spectrum")
    photo = ndimage.gaussian_filter(random.normal(128, 200, (64, 64, 3)), (1, 1, 0))
    real = alignment.to_pixels(photo.astype(np.float32))
    other = ndimage.gaussian_filter(random.normal(128, 400, (64, 64, 3)), (1.6, 1.6, 0))
    fake = other.astype(np.float32)
    matched = alignment.match_spectrum(real, fake)
    radius = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)) / 0.5

    def power(image, low, high):
        ring = (radius >= low) & (radius < high)
        return float((np.abs(_spectrum(image)[ring]) ** 2).mean())

    for low, high in [(0.125, 0.25), (0.25, 0.5), (0.5, 0.625)]:
        expected = pytest.approx(power(real, low, high), rel=0.01)
        assert power(matched, low, high) == expected
    assert power(fake, 0.5, 0.625) < 0.5 * power(real, 0.5, 0.625)
    assert matched.dtype == np.float32
    angle = np.angle(_spectrum(matched) / _spectrum(fake))
    assert np.abs(angle).max() < 1e-2


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_a_fake_is_compressed_on_the_photos_own_grid(subsampling):
    buffer = io.BytesIO()
    photo = Image.fromarray(REAL)
    photo.save(buffer, "JPEG", quality=40, subsampling=subsampling)
    decoded = np.asarray(Image.open(buffer))
    # The fake that gives back all that the compression took: the original.
    part = alignment.cut(REAL, 40, 8, shrink=False).astype(np.float32)
    got = alignment.compress_alike(part, buffer.getvalue(), REAL.shape[:2])
    expected = alignment.cut(decoded, 40, 8, shrink=False)
    inner = slice(16, -16)  # whole blocks of both
    np.testing.assert_allclose(got[inner, inner], expected[inner, inner], atol=2)
    assert np.abs(got - part)[inner, inner].max() > 20
    plain = io.BytesIO()
    photo.save(plain, "PNG")
    same = alignment.compress_alike(part, plain.getvalue(), REAL.shape[:2])
    assert same is part


def test_mixing_is_linear():
    np.testing.assert_allclose(alignment.mix(REAL, FAKE, 0.0), FAKE)
    np.testing.assert_allclose(alignment.mix(REAL, FAKE, 1.0), REAL)
    middle = alignment.mix(REAL, FAKE, 0.5)
    np.testing.assert_allclose(middle, (REAL + FAKE) / 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("size_px", "stride_px", "shrink", "side"),
    [(512, 8, False, 48), (40, 8, False, 40), (40, 32, False, 32), (40, 8, True, 40)],
)
def test_cut(size_px, stride_px, shrink, side):
    part = alignment.cut(REAL, size_px, stride_px, shrink=shrink)
    assert part.shape == (side, side, 3)
    if not shrink:
        top, left = (48 - side) // 2, (64 - side) // 2
        np.testing.assert_array_equal(part, REAL[top : top + side, left : left + side])


def test_too_small_for_the_stride():
    with pytest.raises(ImageError, match="has 48 px, the generator needs 64"):
        alignment.cut(REAL, 512, 64, shrink=False)


def test_values_that_are_not_finite_are_a_reason():
    with pytest.raises(ImageError, match="not finite"):
        alignment.to_pixels(np.full((2, 2, 3), np.nan, np.float32))
