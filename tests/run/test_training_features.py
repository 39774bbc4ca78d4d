"""Training images in the head's final layer: distances, percentiles, damage."""

import dataclasses

import numpy as np
import pytest

from kerasfaces.core.errors import InputError, RunError
from kerasfaces.run import training_features

WIDTH = 40


@pytest.fixture
def layers():
    random = np.random.default_rng(0)
    scale = np.linspace(3, 0.1, WIDTH)
    return [
        (random.normal(size=(n, WIDTH)) * scale).astype(np.float32) for n in (90, 60)
    ]


def described(layers, **changes):
    train, val = layers
    facts = {
        "labels": np.arange(len(train)) % 2 == 1,
        "sources": ["gan" if at % 2 else "camera" for at in range(len(train))],
        "keys": [f"{at:064x}" for at in range(len(train))],
        "n_training": len(train),
        "seed": 0,
    }
    return training_features.describe(train, val, **facts | changes)


def test_vectors_keep_the_distances_of_the_whole_layer(layers):
    features = described(layers)
    train, val = layers
    exact = np.linalg.norm(val[:, None] - train[None], axis=2)
    positions, distances = features.nearest(features.project(val), 3)
    kept = np.take_along_axis(exact, positions, axis=1)
    # the residual's length is one number: distances can only come out smaller
    assert (distances <= 1.03 * kept + 0.05).all()
    assert np.median(distances / kept) > 0.8


def test_nearest_agrees_with_sorting_all_distances(layers):
    features = described(layers)
    vectors = features.project(layers[1])
    exact = np.linalg.norm(
        vectors[:, None] - features.vectors[None].astype(np.float32), axis=2
    )
    positions, distances = features.nearest(vectors, 4)
    assert np.array_equal(positions, np.argsort(exact, axis=1, kind="stable")[:, :4])
    assert np.allclose(distances, np.sort(exact, axis=1)[:, :4], atol=1e-4)
    assert features.nearest(vectors, 1000)[0].shape == (60, 90)


def test_a_training_image_is_at_no_distance_and_an_outlier_off_the_directions_is_far(
    layers,
):
    features = described(layers)
    own = features.project(layers[0][:5])
    assert features.nearest(own)[1].max() < 0.05
    assert features.caution(layers[0][0]) == ""
    # a direction in which training never varied: only the residual can see it
    outlier = layers[0][0] + 50 * _unseen_direction(features)
    assert "farther from the training images than all 60 validation images" in (
        features.caution(outlier)
    )


def _unseen_direction(features):
    rows = features.directions * features.scale[:, None].astype(np.float64)
    random = np.random.default_rng(1).normal(size=WIDTH)
    rest = random - rows.T @ (np.linalg.pinv(rows.T) @ random)
    return (rest / np.linalg.norm(rest)).astype(np.float32)


def test_percentiles_are_those_of_validation(layers):
    features = described(layers)
    distances = features.val_distances
    assert features.percentile(distances[:1])[0] == 0
    assert features.percentile(distances[-1:])[0] == pytest.approx(100 * 59 / 60)
    assert features.percentile([np.inf])[0] == 100


def test_no_number_is_no_sentence(layers):
    assert described(layers).caution(np.full(WIDTH, np.nan, np.float32)) == ""


def test_round_trip(layers, tmp_path):
    features = described(layers)
    features.write(tmp_path / "a.npz")
    again = training_features.read(tmp_path / "a.npz")
    for field in dataclasses.fields(features):
        ours, theirs = (getattr(each, field.name) for each in (features, again))
        assert np.array_equal(ours, theirs), field.name
    assert again.without_hashes().hashes.shape == (0, 32)


def test_identical_training_images_have_a_layer_too(layers):
    train = np.repeat(layers[0][:1], 20, axis=0)
    features = described([train, layers[1]])
    assert features.nearest(features.project(train[:1]))[1][0, 0] < 0.05


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mean": np.zeros(3, np.float32)}, "damaged"),
        ({"vectors": np.zeros(3, np.float16)}, "damaged"),
        ({"val_distances": np.zeros(0, np.float32)}, "no image"),
        ({"val_distances": np.full(4, np.nan, np.float32)}, "not finite"),
        ({"source": np.full(90, 9, np.uint16)}, "has no name"),
        ({"n_training": np.array("many")}, "damaged"),
        ({"more": np.zeros(1)}, "damaged"),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(layers, tmp_path, change, words):
    described(layers).write(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        values = dict(arrays)
    np.savez(tmp_path / "a.npz", **values | change)
    with pytest.raises(RunError, match=words):
        training_features.read(tmp_path / "a.npz")


def test_a_small_file_that_unpacks_to_gigabytes_is_refused(tmp_path):
    zeros = np.zeros((2**25, 3), np.uint8)
    np.savez_compressed(tmp_path / "a.npz", vectors=zeros)
    assert (tmp_path / "a.npz").stat().st_size < 2**20
    with pytest.raises(RunError, match="bytes unpacked, at most"):
        training_features.read(tmp_path / "a.npz")


def test_what_is_no_number_or_too_wide_is_refused(layers):
    bad = layers[0].copy()
    bad[3, 3] = np.nan
    with pytest.raises(InputError, match="not finite"):
        described([bad, layers[1]])
    wide = np.zeros((4, training_features.WIDEST + 1), np.float32)
    with pytest.raises(InputError, match="at most 16,384"):
        described([wide, wide])


def test_many_images_are_drawn_the_same_each_time():
    assert np.array_equal(training_features.drawn(5, 0), np.arange(5))
    drawn = training_features.drawn(training_features.MOST + 10, 3)
    assert len(np.unique(drawn)) == training_features.MOST
    assert np.array_equal(
        drawn, training_features.drawn(training_features.MOST + 10, 3)
    )
