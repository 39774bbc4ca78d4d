"""Squares at a picture's own resolution: places, mirrored edges, the cache's recipe."""

import numpy as np
import pytest
from PIL import Image

from kerasfaces import images
from kerasfaces.images import InputSpec
from kerasfaces.images.crops import MAX_CROPS, squares


def picture(height, width):
    """Every pixel says where it is."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    return np.stack([rows, columns, rows ^ columns], axis=-1)


def test_centre_then_corners_then_edges_untouched():
    image = picture(100, 80)
    parts = squares(image, 32, MAX_CROPS).reshape(MAX_CROPS, 32, 32, 3)
    tops, lefts = (0, 34, 68), (0, 24, 48)
    places = [(1, 1), (0, 0), (2, 2), (0, 2), (2, 0), (0, 1), (2, 1), (1, 0), (1, 2)]
    for part, (row, column) in zip(parts, places, strict=True):
        top, left = tops[row], lefts[column]
        np.testing.assert_array_equal(part, image[top : top + 32, left : left + 32])


def test_a_small_picture_is_continued_by_its_mirror_image():
    image = picture(20, 50)
    (part,) = squares(image, 32, 1).reshape(1, 32, 32, 3)
    np.testing.assert_array_equal(part[6:26], image[:, 9:41])
    np.testing.assert_array_equal(part[:6], part[6:12][::-1])
    np.testing.assert_array_equal(part[26:], part[20:26][::-1])
    tiny = squares(picture(8, 9), 64, 2)  # mirrored again and again
    assert tiny.shape == (128, 64, 3)
    assert set(np.unique(tiny[..., 0])) == set(range(8))


def test_the_loader_cuts_instead_of_resizing():
    spec = InputSpec(size_px=40, crops=3)
    assert spec.shape == (120, 40, 3)
    array = images.to_array(Image.fromarray(picture(90, 70)), spec)
    np.testing.assert_array_equal(array, squares(picture(90, 70), 40, 3))


def test_whole_pictures_are_cached_under_the_names_they_had():
    assert "crops" not in InputSpec().recipe()
    assert InputSpec(crops=5).recipe()["crops"] == 5


@pytest.mark.parametrize("value", [-1, 10])
def test_impossible_numbers_are_refused(value):
    from kerasfaces.core.errors import InputError
    from kerasfaces.models.config import ModelConfig

    with pytest.raises(InputError, match=r"model\.crops: expected 0\.\.9, got"):
        ModelConfig(crops=value)
