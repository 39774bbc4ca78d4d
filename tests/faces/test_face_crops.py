import dataclasses

import numpy as np
import pytest
from face_pictures import portrait, scene
from PIL import Image

from kerasfaces import faces
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.faces import crops
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.faces.face import Face

POINTS = (
    (40.0, 45.0),
    (60.0, 45.0),
    (50.0, 55.0),
    (50.0, 65.0),
    (32.0, 48.0),
    (68.0, 48.0),
)
FACE = Face((30.0, 30.0, 70.0, 70.0), 0.9, POINTS)


def test_the_square_has_its_margin():
    assert crops.square((30, 30, 70, 70), (200, 100), 0.25) == (20, 20, 80, 80)
    assert crops.square((30, 40, 70, 60), (200, 100), 0.0) == (30, 30, 70, 70)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 40, 40), (0, 0, 80, 80)),  # moved away from the corner
        ((160, 60, 200, 100), (120, 20, 200, 100)),
        ((50, 0, 150, 100), (50, 0, 150, 100)),  # the largest that fits
    ],
)
def test_the_square_stays_in_the_picture(box, expected):
    assert crops.square(box, (200, 100), 0.5) == expected


def test_without_alignment_and_size_pixels_are_the_pictures_own():
    image = portrait()
    face = crops.largest(image)
    box = crops.square(face.box, image.size, 0.1)
    left, top, right, bottom = box
    part = crops.cut(image, face, FaceCrop(margin=0.1))
    np.testing.assert_array_equal(part, np.asarray(image)[top:bottom, left:right])


def test_a_size_is_what_comes_out():
    crop = FaceCrop(size_px=96, align=True)
    assert crops.cut(portrait(), crops.largest(portrait()), crop).size == (96, 96)


@pytest.mark.parametrize("degrees", [-25, 12])
def test_alignment_levels_the_eyes(degrees):
    image = portrait().rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(128,) * 3)
    face = crops.largest(image)
    turned, there = crops.aligned(image, face)
    assert there.landmarks[0][1] == pytest.approx(there.landmarks[1][1])
    (again,) = faces.detect(np.asarray(turned))
    (x, y), (other_x, other_y) = again.landmarks[:2]
    assert abs(np.degrees(np.arctan2(other_y - y, other_x - x))) < 5
    np.testing.assert_allclose(again.landmarks[:4], there.landmarks[:4], atol=6)


def test_level_eyes_leave_the_picture_as_it_is():
    image = portrait().crop((0, 0, 100, 100))
    turned, there = crops.aligned(image, FACE)
    np.testing.assert_array_equal(turned, image)
    np.testing.assert_allclose(there.landmarks, FACE.landmarks)


def test_a_turn_shows_no_black_corner():
    white = Image.new("RGB", (120, 80), (255, 255, 255))
    tilted = dataclasses.replace(
        FACE, landmarks=((40, 30), (60, 60), *FACE.landmarks[2:])
    )
    assert np.asarray(crops.aligned(white, tilted)[0]).min() == 255


def test_the_largest_of_several():
    image = Image.fromarray(scene((500, 240), [(10, 60, 120), (240, 0, 240)]))
    assert crops.largest(image).box[0] > 240


def test_no_face_is_a_reason():
    with pytest.raises(ImageError, match="no face found"):
        crops.largest(Image.new("RGB", (64, 64)))


@pytest.mark.parametrize(
    "crop",
    [FaceCrop(), FaceCrop(margin=0.125, align=True), FaceCrop(margin=0, size_px=224)],
)
def test_settings_are_told_in_words(crop):
    assert FaceCrop.of(crop.name) == crop


@pytest.mark.parametrize(
    "name", ["", "margin", "margin x", "64 px", "margin 1, eyes", "a, b"]
)
def test_other_words_are_refused(name):
    with pytest.raises(InputError, match="states no crop of faces"):
        FaceCrop.of(name)


@pytest.mark.parametrize(
    "values", [{"margin": -1}, {"margin": float("nan")}, {"size_px": 7}]
)
def test_ranges(values):
    with pytest.raises(InputError, match="expected 0"):
        FaceCrop(**values)
