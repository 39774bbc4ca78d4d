"""Pixels of more than 8 bits: scaled by the stated rule, or refused; never clipped."""

import numpy as np
import photo_files
import PIL
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from kerasfaces import images
from kerasfaces.core.errors import ImageError

SIDE = 8
BYTES = st.lists(
    st.integers(0, 255), min_size=SIDE * SIDE, max_size=SIDE * SIDE, unique=False
).map(lambda values: np.array(values).reshape(SIDE, SIDE))


def grey(data):
    return np.asarray(images.decode(data))[..., 0].astype(int)


def answer(data):
    """The grey values, or the reason why there are none."""
    try:
        return grey(data), ""
    except ImageError as error:
        return None, str(error)


@given(BYTES, st.sampled_from([1 / 255, 1, 257]), st.sampled_from("<>"))
@settings(deadline=None, max_examples=80, derandomize=True)
def test_floats_mean_the_same_in_every_usual_range(values, factor, order):
    """A grey picture stored as floats of 0..1, 0..255 or 0..65535 is that picture."""
    made = (values * factor).astype(np.float32)
    found, reason = answer(photo_files.tiff_of(made, order=order))
    if found is None:
        assert values.max() < 64, reason
        assert "nothing says which value is white" in reason
    elif made.max() > 1 or factor < 1:  # else black, or nearly so
        assert np.array_equal(found, values)


@given(BYTES, st.sampled_from(["uint32", "int32", "int16"]), st.sampled_from([1, 257]))
@settings(deadline=None, max_examples=80, derandomize=True)
def test_whole_numbers_mean_the_same_in_every_usual_range(values, dtype, factor):
    assume(values.max() * factor <= np.iinfo(dtype).max)
    order = "<"
    found, reason = answer(
        photo_files.tiff_of((values * factor).astype(dtype), order=order)
    )
    if found is None:
        assert values.max() < 64, reason
        assert "nothing says which value is white" in reason
    else:
        assert np.array_equal(found, values)


@given(
    st.sampled_from(["float32", "int16", "uint16", "int32", "uint32"]),
    st.floats(-3, 9),
    st.floats(-0.5, 0.9),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=150, derandomize=True)
def test_any_range_is_monotone_or_refused(dtype, magnitude, lowest, seed):
    """Brighter stays brighter: nothing wraps, and no more than rounding is cut off."""
    high = 10**magnitude
    values = np.random.default_rng(seed).uniform(lowest * high, high, (SIDE, SIDE))
    if dtype != "float32":
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    values = values.astype(dtype)
    found, reason = answer(photo_files.tiff_of(values))
    if found is None:
        assert "nothing says" in reason or "unknown range" in reason
        return
    order = np.argsort(values, axis=None)
    assert (np.diff(found.ravel()[order]) >= 0).all()
    assert values.min() >= -1e-3 * max(1.0, float(values.max()))
    at_white = values.ravel()[found.ravel() == 255].astype(float)
    if len(at_white) > 1:  # not a heap of different values at the top
        assert np.ptp(at_white) <= 0.006 * float(values.max())


@given(BYTES, st.sampled_from(["PNG", "TIFF"]), st.sampled_from("<>"))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_16_bits_are_scaled_by_65535(values, kind, order):
    made = (values * 257).astype(np.uint16)
    if kind == "PNG":
        data = photo_files.encode(Image.fromarray(made), "PNG")
    else:
        data = photo_files.tiff_of(made, order=order)
    found, reason = answer(data)
    if found is None:
        assert 0 < values.max() < 16, reason
    else:
        assert np.array_equal(found, values)


@pytest.mark.parametrize(
    "spoilt", [np.nan, np.inf, -np.inf, -0.5, 1e9], ids=lambda value: str(value)
)
def test_what_no_picture_holds_is_refused(spoilt):
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    values[3, 3] = spoilt
    found, reason = answer(photo_files.tiff_of(values))
    assert found is None
    assert ("not finite" in reason) == (not np.isfinite(spoilt))


@pytest.mark.parametrize("top", [20, 1023, 4095, 16000])
@pytest.mark.parametrize("dtype", ["float32", "uint32"])
def test_10_to_14_bits_of_unknown_range_are_refused(dtype, top):
    """Scaled to 65535 they would be a black picture, and get a verdict."""
    values = np.linspace(0, top, 64).reshape(8, 8).astype(dtype)
    found, reason = answer(photo_files.tiff_of(values))
    assert found is None
    assert f"up to {top}" in reason


@pytest.mark.parametrize("top", [255, 1023, 4095])
def test_few_bits_stored_as_16_are_refused(top):
    values = np.linspace(0, top, 64).reshape(8, 8).astype(np.uint16)
    for data in (
        photo_files.tiff_of(values),
        photo_files.encode(Image.fromarray(values), "PNG"),
    ):
        assert "nothing says which value is white" in answer(data)[1]
    black = photo_files.tiff_of(np.zeros((8, 8), np.uint16))
    assert (grey(black) == 0).all()


def test_signed_bytes_do_not_wrap():
    values = np.linspace(-100, 100, 64).reshape(8, 8).astype(np.int8)
    assert "signed" in answer(photo_files.tiff_of(values))[1]


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_white_may_be_zero(dtype):
    """TIFF's photometric interpretation 0: the largest value is black."""
    values = np.linspace(0, 65535, 64).reshape(8, 8).astype(dtype)
    plain = grey(photo_files.tiff_of(values))
    assert (
        np.abs(grey(photo_files.tiff_of(values, photometric=0)) - (255 - plain)).max()
        <= 1
    )


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_colour_tiffs_that_pillow_does_not_open_have_a_reason(dtype):
    values = np.ones((8, 8, 3), dtype)
    assert answer(photo_files.tiff_of(values, photometric=2))[1]


def test_16_bit_colour_is_the_8_bit_picture():
    values = np.asarray(photo_files.gradient())
    data = photo_files.tiff_of(values.astype(np.uint16) * 257, photometric=2)
    assert np.array_equal(np.asarray(images.decode(data)), values)


@pytest.mark.parametrize("mode", ["1", "P", "L", "LA", "PA", "RGBA", "CMYK", "YCbCr"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_8_bit_modes_are_read(mode, kind):
    picture = photo_files.gradient().convert(
        "RGBA" if mode in ("LA", "RGBA") else "RGB"
    )
    picture = (
        picture.convert("P").convert("PA") if mode == "PA" else picture.convert(mode)
    )
    try:
        data = photo_files.encode(picture, kind)
    except (OSError, ValueError):
        pytest.skip(f"{kind} has no mode {mode}")
    if (mode, kind) == ("YCbCr", "TIFF") and PIL.__version__ < "13":
        pytest.skip("Pillow before 13 does not read the YCbCr TIFF that it writes")
    found = np.asarray(images.decode(data)).astype(int)
    expected = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(found - expected).mean() < 12
