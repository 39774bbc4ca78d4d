"""Spectra against a direct O(N²) transform, and back to what they were made from."""

import numpy as np
import pytest

from kerasfaces.channels.kinds import spectrum
from kerasfaces.channels.kinds.spectrum import Options
from kerasfaces.core import rng

pytestmark = pytest.mark.torch
SIZES = [(8, 8), (7, 9), (8, 9), (9, 8), (16, 12), (2, 2), (1, 1), (5, 1), (1, 4)]


def noise(height, width, n=2):
    random = rng.generator(0, "noise", height, width)
    return random.normal(1.5, 20, (n, height, width, 3)).astype(np.float32)


def compute(values, **options):
    chosen = Options(**options)
    pixels = np.zeros(values.shape, np.uint8)
    return spectrum.build(chosen).compute(pixels, {"lnp": values})


def direct(plane):
    """wan2023's double sum, term by term, centred."""
    height, width = plane.shape
    out = np.zeros((height, width), complex)
    for u in range(height):
        for v in range(width):
            angle = (
                u * np.arange(height)[:, None] / height
                + v * np.arange(width)[None] / width
            )
            term = (plane * np.exp(-2j * np.pi * angle)).sum() / (height * width)
            out[(u + height // 2) % height, (v + width // 2) % width] = term
    return out


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_equals_the_direct_sum(height, width):
    values = noise(height, width)
    got = compute(values, colours=3, amplitude="raw")
    for image, planes in zip(values, got, strict=True):
        for colour in range(3):
            want = direct(image[..., colour].astype(float))
            amplitude, phase = planes[..., colour], planes[..., 3 + colour]
            np.testing.assert_allclose(amplitude, np.abs(want), rtol=1e-4, atol=1e-5)
            error = np.abs(amplitude * np.exp(1j * phase) - want)
            assert error.max() < 1e-4


def test_phase_has_four_quadrants():
    rows, columns = np.mgrid[:16, :16]
    for turn in (-3.0, -2.0, -0.5, 0.0, 1.0, 2.5):
        wave = 10 * np.cos(2 * np.pi * (3 * rows + 2 * columns) / 16 + turn)
        values = np.repeat(wave[None, ..., None], 3, -1).astype(np.float32)
        got = compute(values, colours=3, amplitude="raw")[0]
        assert got[8 + 3, 8 + 2, 3] == pytest.approx(turn, abs=1e-5)
        assert got[8 - 3, 8 - 2, 3] == pytest.approx(-turn, abs=1e-5)
        assert got[8 + 3, 8 + 2, 0] == pytest.approx(5, abs=1e-5)


@pytest.mark.parametrize("amplitude", ["raw", "log", "liu2022"])
@pytest.mark.parametrize(("height", "width"), [(32, 32), (31, 33), (32, 9)])
def test_inverts_to_the_noise_pattern(amplitude, height, width):
    values = noise(height, width)
    got = compute(values, colours=3, amplitude=amplitude)
    size, scaled = got[..., :3].astype(np.float64), height * width
    if amplitude == "log":
        size = spectrum.LOG_UNIT * np.expm1(size)
    elif amplitude == "liu2022":
        size = np.maximum(size ** (1 / 0.8) - 1e-8, 0)
        scaled = 255 * np.sqrt(scaled)
    centred = size * np.exp(1j * got[..., 3:].astype(np.float64))
    whole = np.fft.ifftshift(centred, axes=(1, 2))
    back = np.fft.ifft2(whole, axes=(1, 2)).real * scaled
    np.testing.assert_allclose(back, values, atol=2e-3)


def test_one_channel_weighs_colours_by_a_third():
    values = noise(12, 10)
    three = compute(values, colours=3, amplitude="log")
    one = compute(values, colours=1, amplitude="log")
    np.testing.assert_allclose(one[..., 0], three[..., :3].mean(-1), atol=1e-5)
    np.testing.assert_allclose(one[..., 1], three[..., 3:].mean(-1), atol=1e-5)


def test_log_amplitude_is_what_the_documentation_says():
    values = noise(8, 8)
    raw = compute(values, colours=3, amplitude="raw")[..., :3]
    log = compute(values, colours=3, amplitude="log")[..., :3]
    np.testing.assert_allclose(log, np.log1p(raw / 1e-4), rtol=1e-5, atol=1e-6)


def test_liu_2022_as_published():
    """Orthonormal, 1e-8 added, power .8, luma weights, pixels of 0..1."""
    values = noise(12, 16)
    full = np.fft.fft2(values.astype(float) / 255, axes=(1, 2), norm="ortho")
    centred = np.fft.fftshift(full, axes=(1, 2))
    luma = np.array([0.3, 0.59, 0.11])
    got = compute(values, amplitude="liu2022")
    want = ((np.abs(centred) + 1e-8) ** 0.8) @ luma
    np.testing.assert_allclose(got[..., 0], want, rtol=1e-4)
    real = np.abs(centred.imag) < 1e-12  # their phase is 0 or pi up to rounding
    want = np.angle(centred) @ luma
    sure = ~real.any(-1)
    np.testing.assert_allclose(got[..., 1][sure], want[sure], atol=1e-4)


@pytest.mark.parametrize("side", [8, 31, 32, 100, 225, 256])
@pytest.mark.parametrize("value", [0, 1, 127, 255])
def test_constant_image_has_no_phase(side, value):
    pixels = np.full((1, side, side, 3), value, np.uint8)
    options = Options(of="rgb", colours=3, amplitude="raw")
    got = spectrum.build(options).compute(pixels, {})[0]
    assert not got[..., 3:].any()
    centre = got[side // 2, side // 2, :3].copy()
    np.testing.assert_allclose(centre, value, rtol=1e-6)
    got[side // 2, side // 2, :3] = 0
    assert not got.any()


def test_rounding_stays_below_what_counts_as_zero():
    pixels = rng.generator(0, "image").integers(0, 256, (1, 256, 256, 3), np.uint8)
    options = Options(of="rgb", colours=3, amplitude="raw")
    got = spectrum.build(options).compute(pixels, {})[0]
    full = np.fft.fft2(pixels[0], axes=(0, 1), norm="forward")
    want = np.abs(np.fft.fftshift(full, axes=(0, 1)))
    error = np.abs(got[..., :3] - want).max(axis=(0, 1))
    # Coefficients that are dropped are as large as the error; the largest rounds itself.
    others = np.abs(got[..., :3] - want)[want < 10].max()
    assert others < spectrum.ZERO * want.max()
    assert error.max() < 1e-6 * want.max()


def test_not_finite_stays_with_its_image():
    values = noise(8, 8, n=3)
    clean = compute(values)
    values[1, 0, 0, 0] = np.nan
    got = compute(values)
    assert np.isnan(got[1]).any()
    np.testing.assert_array_equal(got[[0, 2]], clean[[0, 2]])


def test_torch_keeps_its_threads():
    import torch

    before = torch.get_num_threads()
    compute(noise(8, 8))
    assert torch.get_num_threads() == before


def test_a_result_that_is_held_is_not_overwritten():
    channel = spectrum.build(Options())
    pixels = np.zeros((2, 16, 16, 3), np.uint8)
    first = channel.compute(pixels, {"lnp": noise(16, 16)})
    copy, part = first.copy(), first[1, ..., 1]
    channel.compute(pixels, {"lnp": noise(16, 16) + 7})
    np.testing.assert_array_equal(first, copy)
    del first
    channel.compute(pixels, {"lnp": noise(16, 16) - 7})
    np.testing.assert_array_equal(part, copy[1, ..., 1])
    del part
    held = [channel.compute(pixels, {"lnp": noise(16, 16)}) for _ in range(2)]
    assert not np.shares_memory(*held)
