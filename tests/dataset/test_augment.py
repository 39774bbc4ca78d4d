"""Augmented views: a function of (view, image) alone, geometry as documented."""

import keras
import numpy as np
import pytest

from kerasfaces.dataset.augment import Augment
from kerasfaces.dataset.views import AugmentConfig, parameters

pytestmark = pytest.mark.tf
ALL = AugmentConfig(flip=True, rotation_deg=20, zoom=0.1, brightness=0.1, contrast=0.2)
KEYS = [f"{i:064x}" for i in range(12)]


def images(n=12, size_px=16):
    return (
        np.random.default_rng(0)
        .uniform(0, 255, (n, size_px, size_px, 3))
        .astype("float32")
    )


def apply(pixels, rows):
    return keras.ops.convert_to_numpy(Augment()(pixels, rows))


def test_view_zero_is_the_image_itself():
    pixels = images()
    np.testing.assert_allclose(
        apply(pixels, parameters(KEYS, 16, 0, ALL)), pixels, atol=1e-3
    )


def test_flip_alone_mirrors_about_half_of_the_images_exactly():
    pixels = images()
    got = apply(pixels, parameters(KEYS, 16, 1, AugmentConfig(flip=True)))
    mirrored = [
        np.allclose(g, p[:, ::-1], atol=1e-3) for g, p in zip(got, pixels, strict=True)
    ]
    same = [np.allclose(g, p, atol=1e-3) for g, p in zip(got, pixels, strict=True)]
    assert [a != b for a, b in zip(mirrored, same, strict=True)] == [True] * 12
    assert 2 <= sum(mirrored) <= 10


def test_order_and_company_do_not_matter():
    together = parameters(KEYS, 16, 2, ALL)
    np.testing.assert_array_equal(parameters(KEYS[::-1], 16, 2, ALL)[::-1], together)
    np.testing.assert_array_equal(parameters([KEYS[5]], 16, 2, ALL)[0], together[5])
    assert not np.array_equal(parameters(KEYS, 16, 3, ALL), together)


def test_values_stay_in_range():
    got = apply(images(), parameters(KEYS, 16, 1, ALL))
    assert got.min() >= 0
    assert got.max() <= 255


def test_rotation_keeps_the_centre():
    pixels = np.zeros((1, 17, 17, 3), "float32")
    pixels[:, 7:10, 7:10] = 200
    rows = parameters(KEYS[:1], 17, 1, AugmentConfig(flip=False, rotation_deg=45))
    assert apply(pixels, rows)[0, 8, 8, 0] == pytest.approx(200, abs=1)
