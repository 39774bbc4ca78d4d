"""Numbers of a map, against slow second implementations and known cases."""

import numpy as np
import pytest

from kerasfaces.core.errors import InputError
from kerasfaces.embed import drawing, page, quality, vectors


@pytest.fixture
def islands():
    random = np.random.default_rng(0)
    centres = np.repeat([[0, 0], [9, 0], [0, 9]], [30, 20, 12], axis=0)
    points = centres + random.normal(0, 0.5, (62, 2))
    return points, ["a"] * 30 + ["b"] * 20 + ["c"] * 12


def test_clusters_are_the_islands_the_largest_first(islands):
    points, names = islands
    clusters = quality.clusters_of(points)
    for number, name in enumerate("abc"):
        own = clusters[np.array(names) == name]
        assert (own == number).mean() > 0.8


def test_purity_and_neighbours_of_islands_and_of_shuffled_names(islands):
    points, names = islands
    clusters = quality.clusters_of(points)
    flat = points.astype(np.float32)
    good = quality.measure(flat, points, clusters, {"x": names}, 0)
    assert good["trustworthiness"] == pytest.approx(1)
    assert good["x"]["purity"] == 1
    assert good["x"]["neighbours_map"] > 0.95
    shuffled = list(np.random.default_rng(1).permutation(names))
    bad = quality.measure(flat, points, clusters, {"x": shuffled}, 0)
    chance = np.mean(
        [[a == b for b in np.delete(names, i)] for i, a in enumerate(names)]
    )
    assert bad["x"]["by_chance"] == pytest.approx(chance)
    assert bad["x"]["neighbours_map"] == pytest.approx(chance, abs=0.12)
    assert bad["x"]["purity"] < 0.7


def test_purity_by_counting():
    clusters, codes = np.array([0, 0, 0, 1, 1]), np.array([2, 2, 1, 0, 1])
    assert quality.purity_of(clusters, codes) == pytest.approx(3 / 5)


def test_a_map_of_noise_is_not_trusted():
    random = np.random.default_rng(0)
    wide, points = random.normal(size=(80, 20)), random.normal(size=(80, 2))
    alone = np.full(80, -1)
    numbers = quality.measure(
        wide.astype(np.float32), points, alone, {"x": ["a"] * 80}, 0
    )
    assert numbers["trustworthiness"] < 0.7
    assert numbers["n_clusters"] == 0
    assert numbers["x"]["purity"] is None


def test_what_a_projection_takes_is_standardised_and_short():
    random = np.random.default_rng(0)
    wide = (random.normal(size=(60, 90)) * np.linspace(1, 1000, 90)).astype(np.float32)
    assert vectors.reduced(wide, 0).shape == (60, 50)
    few = vectors.reduced(wide[:, :5], 0)
    np.testing.assert_allclose(few.std(axis=0), 1, rtol=1e-3)
    with pytest.raises(
        InputError, match="at least 10 readable images, and there are 3"
    ):
        vectors.reduced(wide[:3], 0)
    with pytest.raises(InputError, match="have 1 different vectors"):
        vectors.reduced(np.ones((20, 4), np.float32), 0)


def test_the_page_keeps_proportions_and_order():
    points = np.array([[0.0, 0], [10, 5], [5, 0]])
    unit = page._unit(points)
    np.testing.assert_allclose(unit[:, 0], [0, 1, 0.5], atol=1e-6)
    np.testing.assert_allclose(unit[:, 1], [0.75, 0.25, 0.75], atol=1e-6)
    coded = page._coded(["b", "a", "b"])
    assert coded["classes"] == ["b", "a"]


def test_a_fake_has_a_second_sign():
    looks = drawing.looks(["real", "fake"])
    assert looks["fake"][1] != looks["real"][1]
