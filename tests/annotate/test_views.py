"""A turned square of a picture: where things are in it, and back."""

import numpy as np
import pytest
from PIL import Image

from kerasfaces.annotate.views import NO_SIZE, View
from kerasfaces.core.errors import ImageError


def view(side=100.0, angle=0.0):
    step = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    return View.around(np.array([80.0, 60.0]), step, side, 50)


def test_a_square_shows_its_middle_where_it_is():
    image = np.zeros((120, 160, 3), np.uint8)
    image[58:62, 78:82] = 255
    seen = view(angle=30).seen(Image.fromarray(image))
    rows, columns, _ = np.nonzero(seen)
    assert rows.mean() == pytest.approx(24.5, abs=0.6)
    assert columns.mean() == pytest.approx(24.5, abs=0.6)


@pytest.mark.parametrize("angle", [0, 30, -75])
def test_points_go_back_to_the_picture(angle):
    placed = view(angle=angle).placed(np.array([[25.0, 25.0, 3.0], [50.0, 25.0, 0.0]]))
    np.testing.assert_allclose(placed[0], (80, 60, 6), atol=1e-9)
    turned = np.radians(angle)
    expected = 80 + 50 * np.cos(turned), 60 + 50 * np.sin(turned)
    np.testing.assert_allclose(placed[1, :2], expected)


def test_a_finer_picture_is_averaged():
    """Lines of one pixel are grey in a square of a tenth of the picture, not a pattern."""
    image = np.zeros((1000, 1000), np.uint8)
    image[:, ::2] = 255
    middle, across = np.array([500.0, 500.0]), np.array([1.0, 0.2])
    seen = View.around(middle, across, 640, 64).seen(Image.fromarray(image))
    assert seen.shape == (64, 64)
    assert np.abs(seen.astype(float) - 127).max() < 12


def test_beyond_the_picture_it_is_black():
    image = Image.fromarray(np.full((100, 100, 3), 200, np.uint8))
    middle, across = np.array([0.0, 50.0]), np.array([1.0, 0.0])
    seen = View.around(middle, across, 200, 50).seen(image)
    assert seen[:, :20].max() == 0
    assert seen[20:30, 30:40].min() == 200


def test_no_size_is_a_reason():
    flat = np.zeros(2)
    with pytest.raises(ImageError, match=NO_SIZE):
        View.around(flat, flat, 10, 8)
    far = View.around(np.array([-900.0, -900.0]), np.array([1.0, 0.0]), 100, 8)
    with pytest.raises(ImageError, match=NO_SIZE):
        far.seen(Image.new("RGB", (50, 50)))
