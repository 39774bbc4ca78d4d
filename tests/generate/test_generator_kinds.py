"""What every kind of generator promises; those with weights get small random ones."""

import dataclasses

import numpy as np
import pytest

from kerasfaces.core import registry, rng
from kerasfaces.generate.config import KINDS

pytestmark = pytest.mark.torch


@pytest.fixture(params=registry.names(KINDS))
def kind(request):
    return registry.load(KINDS, request.param)


def test_options_are_plain_and_name_the_fakes(kind):
    options = kind.Options()
    assert dataclasses.is_dataclass(options)
    assert options.__dataclass_params__.frozen
    assert kind.name(options)


def test_a_fake_is_a_picture_of_the_same_size_and_repeats(kind, small):
    weights = {"network": str(small)} if "autoencoder" in kind.__name__ else {}
    generator = kind.build(kind.Options(**weights))
    side = 4 * generator.stride_px
    real = rng.generator(0, "real").integers(0, 256, (side, 2 * side, 3), np.uint8)
    fake, again = (generator(real, rng.generator(1, "fake")) for _ in range(2))
    assert fake.shape == real.shape
    assert fake.dtype == np.float32
    np.testing.assert_array_equal(fake, again)
    assert np.isfinite(fake).all()
