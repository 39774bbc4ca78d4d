"""Patches, turns and votes of the aggregated CNNs."""

import dataclasses
import itertools

import keras
import numpy as np
import pandas as pd
import pytest

from kerasfaces.cli.train import main
from kerasfaces.core.errors import InputError
from kerasfaces.models import network
from kerasfaces.models.zoo import aggregated_cnns
from kerasfaces.models.zoo.aggregated_cnns import ByImage, OneAtATime, Patches, starts
from kerasfaces.train import config as configs

pytestmark = pytest.mark.tf
SMALL = dataclasses.replace(
    configs.default("aggregated_cnns").model,
    size_px=48,
    options=aggregated_cnns.Options(filters=4, networks=3, patch_px=16),
)


def numpy_of(values):
    return keras.ops.convert_to_numpy(values)


def pixels(n=5, size_px=48, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (n, size_px, size_px, 3)).astype(np.float32)


@pytest.mark.parametrize(("size", "patch"), [(48, 16), (50, 16), (16, 16), (33, 32)])
def test_patches_at_rest_cover_the_image(size, patch):
    covered = np.zeros(size, int)
    for start in starts(size, patch):
        covered[start : start + patch] += 1
    assert covered.min() >= 1
    assert len(starts(size, patch)) == -(-size // patch)


def test_patches_at_rest_are_the_grid_row_by_row():
    images = pixels(2)
    found = numpy_of(Patches(16, 0)(images))
    assert found.shape == (2 * 9, 16, 16, 3)
    np.testing.assert_array_equal(found[9 + 5], images[1, 16:32, 32:48])


def test_patches_in_training_are_cuts_of_their_own_image():
    images = pixels(6)
    layer = Patches(16, 3)
    first, second = (numpy_of(layer(images, training=True)) for _ in range(2))
    assert first.shape == (6, 16, 16, 3)
    assert not np.array_equal(first, second)
    for image, patch in zip(images, first, strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(image, (16, 16, 3))
        assert (windows[:, :, 0] == patch).all(axis=(2, 3, 4)).any()


def test_patches_reach_every_place():
    """A ramp tells where a patch was cut."""
    rows = np.arange(24, dtype=np.float32)
    image = np.broadcast_to(rows[:, None, None], (24, 24, 3))
    images = np.repeat(image[None], 400, axis=0)
    found = numpy_of(Patches(16, 0)(images, training=True))
    assert set(found[:, 0, 0, 0].astype(int)) == set(range(9))


def test_patches_larger_than_the_image_are_refused():
    with pytest.raises(InputError, match="patches of 64 px do not fit into 48 x 48 px"):
        Patches(64, 0)(pixels())
    wrong = dataclasses.replace(SMALL, options=aggregated_cnns.Options(patch_px=64))
    with pytest.raises(InputError, match=r"do not fit into model\.size_px=48"):
        aggregated_cnns.ARCHITECTURE.build(wrong)


def test_scores_come_back_to_their_image():
    scores = np.arange(12, dtype=np.float32)[:, None]
    found = numpy_of(ByImage()(scores, np.zeros((3, 8, 8, 3), np.float32)))
    np.testing.assert_array_equal(found[1, :, 0, 0], [4, 5, 6, 7])


def test_one_network_at_a_time_and_all_take_turns():
    layer = OneAtATime(0)
    maps = np.ones((7, 1, 1, 3), np.float32)
    np.testing.assert_array_equal(numpy_of(layer(maps)), maps)
    kept = numpy_of(layer(maps, training=True))[:, 0, 0]
    assert sorted(kept[0]) == [0, 0, 3]
    assert ((kept > 0).sum(axis=1) == 1).all()
    assert (np.diff(kept.argmax(axis=1)) % 3 == 1).all()


def test_weights_as_described():
    model = aggregated_cnns.ARCHITECTURE.build(configs.default("aggregated_cnns").model)
    maps = (3, 16, 32, 64, 64)
    one = sum(9 * a * b + 4 * b for a, b in itertools.pairwise(maps)) + 64 + 1
    assert model.count_params() == 5 * one
    assert model.get_layer("head").count_params() == 0


def test_the_logit_is_the_mean_of_the_networks_votes():
    model = aggregated_cnns.ARCHITECTURE.build(SMALL, None, 4)
    images = pixels()
    maps = network.base_of(model)(model.get_layer("preprocessing")(images))
    maps = numpy_of(maps)[:, :, 0]
    assert maps.shape == (5, 9, 3)
    votes = np.where(maps.max(axis=1) > 0, maps.max(axis=1), maps.min(axis=1))
    np.testing.assert_allclose(
        numpy_of(model(images)), votes.mean(axis=1, keepdims=True), atol=1e-5
    )


def test_each_image_teaches_one_network():
    import tensorflow as tf

    model = aggregated_cnns.ARCHITECTURE.build(SMALL, None, 4)
    with tf.GradientTape() as tape:
        logit = model(pixels(1), training=True)
    gradients = tape.gradient(logit, model.trainable_variables)
    taught = {
        weight.path.split("net")[1][0]
        for weight, gradient in zip(model.trainable_variables, gradients, strict=True)
        if np.abs(numpy_of(gradient)).max() > 0
    }
    assert len(taught) == 1


@pytest.mark.slow
def test_trains_through_the_command_and_evaluates(tiny_manifest, tmp_path):
    from kerasfaces.cli.evaluate import main as evaluate

    run, manifest = tmp_path / "run", str(tmp_path / "manifest.csv")
    words = ["--manifest", manifest, "--model", "aggregated_cnns", "-o", str(run)]
    words += ["--set", "model.size_px=48", "--set", "model.options.patch_px=16"]
    assert main([*words, "--set", "epochs=3"]) == 0
    assert evaluate([str(run), "--manifest", manifest]) == 0
    stored = pd.read_csv(run / "predictions_test.csv")["logit"]
    again = pd.read_csv(next(run.glob("evaluations/*/predictions_test.csv")))["logit"]
    np.testing.assert_allclose(again, stored, atol=1e-5)
