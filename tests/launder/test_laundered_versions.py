"""One file becomes all its versions, decoded once; what fails is named alone."""

import numpy as np
import pytest
from PIL import Image

from kerasfaces import images
from kerasfaces.core.errors import ImageError
from kerasfaces.images import launderings
from kerasfaces.images.limits import Limits
from kerasfaces.launder import laundered, variants
from kerasfaces.launder.laundered import Launder, Photo

SPEC = images.InputSpec(size_px=32)


@pytest.fixture
def photo(tiny_images):
    file = tiny_images / "real" / "camera" / "00.png"
    return Photo(file, images.sha256(file.read_bytes()))


def test_every_version_is_what_the_laundering_and_the_loader_make(photo, monkeypatch):
    n_decoded = []
    decode = images.decode
    monkeypatch.setattr(
        images, "decode", lambda data: n_decoded.append(1) or decode(data)
    )
    chosen = variants.of()
    result = Launder(chosen, SPEC, None)(photo)
    assert len(n_decoded) == 1
    assert result.positions == list(range(len(chosen)))
    assert not result.reasons
    assert np.array_equal(result.arrays[0], images.load_array(photo.file, SPEC))
    pixels = np.asarray(images.load(photo.file))
    for number in (1, 7, len(chosen) - 1):
        each = chosen[number]
        changed = launderings.get(each.laundering).apply(
            pixels, each.strength, photo.key
        )
        expected = images.to_array(Image.fromarray(changed), SPEC)
        assert np.array_equal(result.arrays[number], expected)


def test_bytes_that_were_read_elsewhere_are_used(photo):
    sent = Photo(photo.file.with_name("gone.png"), photo.key, photo.file.read_bytes())
    result = Launder(variants.of(["jpeg"]), SPEC, None)(sent)
    assert len(result.arrays) == 5


def test_a_laundering_that_fails_costs_no_other(photo, monkeypatch):
    version = Launder._version

    def failing(self, pixels, variant, key):
        if variant.name == "jpeg 70":
            raise ImageError("jpeg failed: too wide")
        if variant.name == "jpeg 50":
            raise MemoryError
        return version(self, pixels, variant, key)

    monkeypatch.setattr(Launder, "_version", failing)
    result = Launder(variants.of(["jpeg"]), SPEC, None)(photo)
    assert result.positions == [0, 1, 4]
    assert result.reasons[2] == "jpeg failed: too wide"
    assert "memory" in result.reasons[3]
    assert len(result.arrays) == 3


def test_a_version_that_is_too_small_gets_no_verdict(photo):
    limits = Limits(short_side_px=40, aspect=3.0)
    result = Launder(variants.of(["resize:0.9", "resize:0.5"]), SPEC, limits)(photo)
    assert result.positions == [0, 1]
    assert "too small to judge: 24x24" in result.reasons[2]


def test_an_unreadable_file_has_a_reason_for_every_version(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    result = Launder(variants.of(["blur"]), SPEC, None)(Photo(tmp_path / "a.jpg", "0"))
    assert result.arrays.shape == (0, 32, 32, 3)
    assert set(result.reasons) == set(range(5))
    assert "not an image" in result.reasons[0]


def test_no_framework_is_imported_by_a_worker(run_python):
    code = f"import sys, {laundered.__name__}; print('keras' in sys.modules)"
    assert run_python(code).strip() == "False"
