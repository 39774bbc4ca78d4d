"""Directions in which cameras differ are no reason any more; neighbours' differences are."""

import dataclasses

import numpy as np
import pytest

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.models.config import HeadConfig, ModelConfig, default_options
from kerasfaces.models.erasure import EraseDirections, directions
from kerasfaces.models.residual import NeighbourResidual

pytestmark = pytest.mark.tf


def erased(features, matrix):
    layer = EraseDirections(matrix.shape[1])
    layer.build(features.shape)
    layer.directions.assign(matrix)
    return np.asarray(layer(features))


def test_means_of_sources_are_one_point_afterwards():
    random = rng.generator(0, "erase")
    means = random.normal(size=(4, 20)).astype(np.float32)
    matrix = directions(list(means), count=8)
    assert np.linalg.matrix_rank(matrix) == 3  # four points span three directions
    after = erased(means, matrix)
    assert np.ptp(after, axis=0).max() < 1e-5
    other = random.normal(size=(5, 20)).astype(np.float32)
    np.testing.assert_allclose(
        erased(erased(other, matrix), matrix), erased(other, matrix), atol=1e-5
    )


def test_no_more_directions_than_asked_and_the_strongest_first():
    means = np.zeros((3, 10), np.float32)
    means[1, 4], means[2, 7] = 5.0, 1.0
    after = erased(means, directions(list(means), count=1))
    assert abs(after[1, 4]) < 0.3 < abs(after[2, 7])


def test_one_source_has_no_direction_and_nothing_changes():
    features = rng.generator(1, "erase").normal(size=(3, 6)).astype(np.float32)
    matrix = directions([features[0]], count=4)
    np.testing.assert_array_equal(erased(features, matrix), features)


def test_erasing_needs_standardised_features():
    with pytest.raises(InputError, match=r"head\.erase: works on standardised"):
        HeadConfig(erase=4, standardize=False)


@pytest.mark.parametrize("side", [6, 7])
def test_residual_of_a_doubled_picture_is_nothing_and_of_noise_is_not(side):
    random = rng.generator(2, "residual")
    small = random.uniform(0, 255, (1, 4, 4, 3)).astype(np.float32)
    doubled = small.repeat(2, 1).repeat(2, 2)[:, :side, :side]
    np.testing.assert_allclose(np.asarray(NeighbourResidual()(doubled)), 127.5)
    image = random.uniform(100, 110, (1, side, side, 3)).astype(np.float32)
    residual = np.asarray(NeighbourResidual(gain=2.0)(image))
    np.testing.assert_allclose(residual[:, ::2, ::2], 127.5)
    expected = 127.5 + 2 * (image[:, 1, 0] - image[:, 0, 0])
    np.testing.assert_allclose(residual[:, 1, 0], expected, rtol=1e-5)


def test_a_base_sees_the_residual_alone_or_beside_the_picture():
    import keras

    from kerasfaces.models import catalogue

    widths, defaults = {}, default_options("mobilenetv2")
    for residual in ("none", "alone", "beside"):
        options = dataclasses.replace(defaults, residual=residual)
        config = ModelConfig(name="mobilenetv2", size_px=64, options=options)
        with keras.StatelessScope(initialize_variables=False):  # widths alone
            model = catalogue.load("mobilenetv2").build(config, None, 0)
        widths[residual] = model.get_layer("features").output.shape[-1]
    assert widths["beside"] == 2 * widths["alone"] == 2 * widths["none"]
