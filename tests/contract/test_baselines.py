"""Every file in kerasfaces/baselines, on arrival."""

import dataclasses

import numpy as np
import pytest

from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import arrays, registry
from kerasfaces.core import config as configs
from kerasfaces.core.errors import MissingExtraError, RunError

NAMES = registry.names("kerasfaces.baselines.zoo")
SIZE_PX = 32


def plugin(name):
    return registry.load("kerasfaces.baselines.zoo", name)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request):
    """A baseline fitted on noise of two strengths."""
    kind = plugin(request.param).CONFIG
    config = kind()
    config = dataclasses.replace(
        config, seed=1, model=dataclasses.replace(config.model, size_px=SIZE_PX)
    )
    random = np.random.default_rng(0)
    labels = np.arange(24) % 2
    noise = random.normal(size=(24, SIZE_PX, SIZE_PX, 3))
    images = 128 + noise * np.where(labels, 5, 40)[:, None, None, None]
    images += np.linspace(0, 60, SIZE_PX)[None, :, None, None]
    images = images.clip(0, 255).astype(np.uint8)
    try:
        made = plugin(request.param).fit(config, lambda p: images[p], labels)
    except MissingExtraError as error:
        pytest.skip(str(error))
    return config, made, images, labels


def logits(fitted, order):
    config, made, images, _ = fitted
    chosen = images[order]
    return plugin(config.model.name).logits(
        config, made, lambda p: chosen[p], len(chosen)
    )


def test_one_finite_logit_per_image_whatever_the_order(fitted):
    order = np.random.default_rng(1).permutation(24)
    straight, mixed = logits(fitted, np.arange(24)), logits(fitted, order)
    assert straight.shape == (24,)
    assert np.isfinite(straight).all()
    np.testing.assert_allclose(mixed, straight[order])


def test_it_learns(fitted):
    assert ((logits(fitted, np.arange(24)) > 0) == fitted[3].astype(bool)).all()


def test_saved_loaded_and_rebuilt_from_json_it_is_the_same(fitted, tmp_path):
    config, made, images, _ = fitted
    arrays.write(tmp_path / "model.npz", made)
    again = configs.from_dict(type(config), configs.to_dict(config))
    assert again == config
    assert isinstance(again, BaselineConfig)
    loaded = arrays.read(tmp_path / "model.npz")
    np.testing.assert_array_equal(
        plugin(config.model.name).logits(again, loaded, lambda p: images[p], 24),
        logits(fitted, np.arange(24)),
    )


def test_arrays_of_another_configuration_are_refused(fitted):
    config, made, images, _ = fitted
    larger = dataclasses.replace(
        config, model=dataclasses.replace(config.model, size_px=2 * SIZE_PX)
    )
    with pytest.raises(RunError, match="does not fit its configuration"):
        plugin(config.model.name).logits(larger, made, lambda p: images[p], 1)
