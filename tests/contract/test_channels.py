"""Every channel module keeps `channels/contract.py`'s promises."""

import dataclasses
import json

import numpy as np
import pytest

from kerasfaces.channels import config as stage_config
from kerasfaces.core import config, registry, rng

pytestmark = pytest.mark.torch
PACKAGE = "kerasfaces.channels.kinds"
NAMES = registry.names(PACKAGE)
SIDE = 32


def pictures():
    """Noise, a smooth picture, grey, and three of one colour: `(6, 32, 32, 3)`."""
    random = rng.generator(0, "contract")
    noise = random.integers(0, 256, (SIDE, SIDE, 3))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    smooth = np.stack([4 * rows, 4 * columns, 255 - 4 * rows], -1)
    grey = np.repeat(noise[..., :1], 3, -1)
    flat = [np.full((SIDE, SIDE, 3), value) for value in (0, 127, 255)]
    return np.stack([noise, smooth, grey, *flat]).astype(np.uint8)


@pytest.fixture(scope="module", params=NAMES)
def computed(request):
    """A channel's config, and everything computed of `pictures`."""
    chosen = stage_config.from_names([request.param])
    built = {
        name: stage_config.build(chosen, name) for name in stage_config.order(chosen)
    }

    def compute(images):
        made = {"mask": np.ones((*images.shape[:3], 1), np.float32)}
        for name, channel in built.items():
            made[name] = channel.compute(images, made)
        return made[request.param]

    return built[request.param], compute, compute(pictures())


def test_shape_dtype_names_and_ranges(computed):
    channel, _, values = computed
    spec = channel.spec
    assert len(set(spec.names)) == len(spec.names)
    assert set(spec.ranges) == set(spec.names)
    assert values.dtype == np.float32
    assert values.shape == (6, SIDE, SIDE, len(spec.names))
    assert np.isfinite(values).all()
    for at, name in enumerate(spec.names):
        low, high = spec.ranges[name]
        assert low is None or values[..., at].min() >= low
        assert high is None or values[..., at].max() <= high


def test_what_made_it_is_json(computed):
    channel, _, _ = computed
    made_by = dict(channel.spec.made_by)
    assert json.loads(json.dumps(made_by)) == made_by


def test_same_again(computed):
    _, compute, values = computed
    np.testing.assert_array_equal(compute(pictures()), values)


def test_batch_and_order_do_not_matter(computed):
    _, compute, values = computed
    images = pictures()
    alone = np.concatenate([compute(images[at : at + 1]) for at in range(6)])
    np.testing.assert_array_equal(alone, values)
    np.testing.assert_array_equal(compute(images[::-1]), values[::-1])


def test_input_stays_as_it_was(computed):
    _, compute, _ = computed
    images = pictures()
    compute(images)
    np.testing.assert_array_equal(images, pictures())


def test_other_sizes(computed):
    channel, compute, _ = computed
    for side in (24, 40):
        images = np.zeros((2, side, side, 3), np.uint8)
        images[0, 3, 5] = 200
        assert compute(images).shape == (2, side, side, len(channel.spec.names))


def test_no_images(computed):
    channel, compute, _ = computed
    empty = np.zeros((0, SIDE, SIDE, 3), np.uint8)
    assert compute(empty).shape == (0, SIDE, SIDE, len(channel.spec.names))


@pytest.mark.parametrize("name", NAMES)
def test_options_are_frozen_keyword_only_json(name):
    options = registry.load(PACKAGE, name).Options()
    values = config.to_dict(options)
    assert config.from_dict(type(options), values) == options
    if values:
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
            setattr(options, next(iter(values)), None)
