"""The forensic base: what it may see, and that its training continues."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import kerasfaces
from experiments.forensic_base import training_set
from experiments.forensic_base.shipping import NAME
from kerasfaces.sample import pair
from kerasfaces.sample.decoders import DECODERS

SMALL = training_set.Recipe(
    shards=2, scenes=3, takes=2, size_px=64, flat_pairs=4, flat_px=64
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASFACES_CACHE", str(tmp_path))
    return tmp_path


def test_two_of_the_samples_generators_stay_unseen():
    unseen = set(DECODERS) - set(training_set.GENERATORS)
    assert unseen == {"nearest_conv", "vae8x"}
    kernels = {DECODERS[name].up for name in unseen}
    recipe = training_set.Recipe()
    for scene in range(200):
        name, decoder = training_set.decoder_of(recipe, 0, scene, 0)
        assert name in training_set.GENERATORS
        assert decoder.up not in kernels


def test_seeds_are_not_the_samples():
    recipe = training_set.Recipe()
    assert recipe.seed - 1 - recipe.flat_pairs // 50 > 0


@pytest.mark.parametrize("name", ["transposed_variants", "sub_pixel_conv"])
def test_variants_double_and_nearly_keep_the_mean(name, monkeypatch):
    monkeypatch.setattr(training_set, "GENERATORS", (name,))
    found, decoder = training_set.decoder_of(SMALL, 0, 1, 2)
    flat = np.full((8, 8, 3), 0.5, np.float32)
    assert found == name
    assert decoder.up(flat).shape == (16, 16, 3)
    np.testing.assert_allclose(decoder.up(flat), 0.5, rtol=0.05)


def test_kept_is_what_decoding_draws(monkeypatch):
    drawn = []

    def decode(image, decoder, rng):
        drawn.append(rng.uniform(*decoder.keep))
        return image

    monkeypatch.setattr(pair, "decode", decode)
    scene = np.full((64, 64, 3), 0.5, np.float32)
    for number in range(SMALL.scenes):
        for take in range(SMALL.takes):
            _, decoder = training_set.decoder_of(SMALL, 1, number, take)
            pair.photograph(scene, SMALL.seed + 1, number, decoder, 32, take)
    np.testing.assert_array_equal(training_set.detail_shares(SMALL, 1), drawn)


def test_flat_pictures_are_made_once(cache):
    path = training_set.make_flat(SMALL)
    images = np.load(path)
    assert images.shape == (8, 64, 64, 3)
    assert images.dtype == np.uint8
    before = path.stat().st_mtime_ns
    assert training_set.make_flat(SMALL).stat().st_mtime_ns == before
    assert cache in path.parents


@pytest.mark.slow
@pytest.mark.tf
def test_killed_training_continues_where_it_was(cache, tmp_path):
    from experiments.forensic_base import shipping, training

    shards = training_set.make(SMALL, workers=1)
    hardness = [
        training_set.detail_shares(SMALL, shard) for shard in range(SMALL.shards)
    ]
    plan = training.Plan(
        epochs=3,
        steps=2,
        batch=4,
        flat_epochs=1,
        easy_epochs=1,
        crop_px=32,
        wide_epochs=1,
        wide_px=48,
        validation_shards=1,
    )
    folder, flat = tmp_path / "run", training_set.make_flat(SMALL)
    arguments = (shards, flat, hardness)
    whole = training.train(*arguments, plan, folder)
    history = json.loads((folder / "history.json").read_text())
    assert [row["epoch"] for row in history] == [0, 1, 2]
    longer = dataclasses.replace(plan, epochs=4)
    training.train(*arguments, longer, folder)
    assert json.loads((folder / "history.json").read_text())[:3] == history
    note = shipping.ship(whole, [np.load(shards[-1])], tmp_path / "weights", {})
    assert len(note["sha256"]) == 64


def test_shipped_weights_are_small_hashed_and_say_what_they_saw():
    folder = Path(kerasfaces.__file__).parent / "models" / "weights"
    note = json.loads((folder / f"{NAME}.json").read_text())
    data = (folder / note["file"]).read_bytes()
    assert len(data) <= 2_000_000
    assert hashlib.sha256(data).hexdigest() == note["sha256"]
    assert note["licence"] == "Apache-2.0"
    assert note["saw"]["generators"] == list(training_set.GENERATORS)
    with np.load(folder / note["file"]) as arrays:
        assert {array.dtype for array in arrays.values()} == {np.dtype(np.float16)}
        assert all(np.isfinite(array).all() for array in arrays.values())
        assert arrays["Conv1/kernel"].shape == (3, 3, 3, 16)
