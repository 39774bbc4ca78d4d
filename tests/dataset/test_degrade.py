"""Blur and JPEG augmentation: as often and as strong as asked, and repeatable."""

import numpy as np
import pytest

from kerasfaces.dataset import views
from kerasfaces.dataset.batches import Source
from kerasfaces.dataset.views import AugmentConfig


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(0)
    return random.integers(0, 256, (200, 16, 16, 3)).astype(np.uint8)


def changed(images, out):
    return (images != out).any(axis=(1, 2, 3))


def test_nothing_asked_nothing_done():
    assert views.changer(AugmentConfig(), 0) is None


@pytest.mark.parametrize("name", ["blur", "jpeg"])
def test_share_and_repeatability(images, name):
    change = views.changer(AugmentConfig(**{name: 0.5}), 3)
    positions = np.arange(len(images))
    out = change(images, 0, positions)
    assert (out.dtype, out.shape) == (np.uint8, images.shape)
    assert 0.35 < changed(images, out).mean() < 0.65
    np.testing.assert_array_equal(out, change(images, 0, positions))
    assert (out != change(images, 1, positions)).any()
    again = views.changer(AugmentConfig(**{name: 0.5}), 4)
    assert (out != again(images, 0, positions)).any()


def test_order_of_a_batch_does_not_matter(images):
    change = views.changer(AugmentConfig(blur=0.5, jpeg=0.5), 0)
    positions = np.arange(20)
    out = change(images[:20], 2, positions)
    backwards = change(images[:20][::-1], 2, positions[::-1])
    np.testing.assert_array_equal(out, backwards[::-1])


def test_blur_smooths_within_colours(images):
    config, generator = AugmentConfig(blur=1.0), np.random.default_rng(1)
    image = images[0].copy()
    image[..., 2] = 0
    out = views.one(image, config, generator)
    assert out[..., 0].std() < image[..., 0].std()
    assert (out[..., 2] == 0).all()


def test_jpeg_of_higher_quality_is_nearer(images):
    smooth = np.linspace(0, 255, 256).astype(np.uint8).reshape(16, 16)
    image = np.repeat(smooth[..., None], 3, axis=-1)
    errors = [
        np.abs(views.compressed(image, quality).astype(int) - image).mean()
        for quality in (30, 100)
    ]
    assert errors[1] < errors[0]


def test_source_changes_inputs_and_nothing_else(images):
    change = views.changer(AugmentConfig(jpeg=1.0), 0)
    plain = Source(
        reads=[lambda positions: images[positions]],
        labels=np.ones(len(images), np.float32),
        weights=np.full(len(images), 2, np.float32),
    )
    source = Source(
        reads=plain.reads, labels=plain.labels, weights=plain.weights, change=change
    )
    positions = np.array([5, 3])
    before, after = plain.batch(1, positions), source.batch(1, positions)
    assert (before[0] != after[0]).any()
    np.testing.assert_array_equal(before[1], after[1])
    np.testing.assert_array_equal(before[2], after[2])
    np.testing.assert_array_equal(plain.order(0, 1), source.order(0, 1))
