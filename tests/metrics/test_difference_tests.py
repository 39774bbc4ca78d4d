"""Every paired test of the package: size, power, other tests' answers, and no floor.

One rule makes all p-values from resampled differences, so each property is asked of every
function that gives one.
"""

import math
from statistics import NormalDist

import numpy as np
import pytest

from kerasfaces import metrics
from kerasfaces.core import rng
from kerasfaces.metrics import System, TestRows, holm
from kerasfaces.metrics.difference_tests import from_draws, p_of_draws

FAMILY = 200  # comparisons that a correction may run over


def single(fake, a, b, seed=0):
    return metrics.auc_difference(fake, a, b, seed=seed).p_value


def several_seeds(fake, a, b, seed=0):
    return metrics.repeated_difference("auc", fake, a, b, seed=seed).p_value


def several_systems(fake, a, b, seed=0):
    systems = {"a": System(a), "b": System(b)}
    return metrics.differences(fake, systems, "b", seed=seed)["a"]["auc"].p_value


def several_splits(fake, a, b, seed=0):
    rows = TestRows([str(i) for i in range(len(a))], fake, a, b)
    return metrics.pooled_difference([rows], seed=seed).p_value


def called(fake, a, b, metric="tpr_at_fpr_1pct"):
    """Return the p-value of a difference in decisions."""
    systems = {
        name: System(logits.astype(float), logits > 0, logits > 0)
        for name, logits in (("a", a), ("b", b))
    }
    return metrics.differences(fake, systems, "b")["a"][metric].p_value


TESTS = [single, several_seeds, several_systems, several_splits]


def scores(n, shift_a, shift_b, *key, shared=0.7):
    """Return labels, and two systems' correlated logits of n reals and n fakes."""
    random = rng.generator(0, "difference tests", *key)
    fake = np.arange(2 * n) < n
    common = shared * random.normal(size=2 * n)
    own = math.sqrt(1 - shared**2)
    a, b = (
        common + own * random.normal(size=2 * n) + shift * fake
        for shift in (shift_a, shift_b)
    )
    return fake, a, b


def delong(fake, a, b):
    """Return the p-value of DeLong, DeLong & Clarke-Pearson 1988, written out."""
    placed = []
    for logits in (a, b):
        beats = (logits[fake][:, None] > logits[~fake]).astype(float)
        placed.append((beats.mean(axis=1), beats.mean(axis=0)))
    fakes, reals = (placed[0][side] - placed[1][side] for side in (0, 1))
    variance = fakes.var(ddof=1) / fakes.size + reals.var(ddof=1) / reals.size
    return math.erfc(abs(fakes.mean()) / math.sqrt(2 * variance))


def z(p):
    return -NormalDist().inv_cdf(max(p, 1e-300) / 2)


@pytest.mark.parametrize("test", TESTS)
def test_a_clear_difference_is_shown_among_hundreds(test):
    p = test(*scores(150, 2.5, 0.8, "clear"))
    assert metrics.holm([p] * FAMILY)[0] < 0.05, p


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("better", [0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.1])
def test_it_says_what_delongs_test_says(test, better):
    for number in range(3):
        drawn = scores(150, 1.0 + better, 1.0, "delong", better, number)
        ours, theirs = z(test(*drawn)), z(delong(*drawn))
        assert ours == pytest.approx(theirs, rel=0.12, abs=0.15)


@pytest.mark.parametrize("metric", ["tpr_at_fpr_1pct", "balanced_accuracy"])
@pytest.mark.parametrize("gained", [0, 3, 5, 8, 12, 18, 25])
def test_decisions_are_compared_as_by_the_exact_sign_test(metric, gained):
    """McNemar's: of the images only one system gets right, how many are A's?"""
    lost = 8
    fake = np.arange(200) < 100
    b = np.where(fake, -1, 1)
    b[:lost] = 1  # B finds these fakes alone
    a = np.where(fake, -1, 1)
    a[lost : lost + lost + gained] = 1  # and A these
    n = 2 * lost + gained
    exact = min(1, 2 * sum(math.comb(n, k) for k in range(lost + 1)) / 2**n)
    assert z(called(fake, a, b, metric)) == pytest.approx(z(exact), rel=0.15, abs=0.4)


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("other", ["constant", "turned round"])
def test_a_perfect_system_is_told_from_a_useless_one(test, other):
    """No resample differs from another, and yet nothing could be clearer."""
    fake = np.arange(80) < 40
    perfect = np.where(fake, 1.0, -1.0) + np.arange(80) / 1000
    useless = np.zeros(80) if other == "constant" else -perfect
    for a, b in ((perfect, useless), (useless, perfect)):
        assert metrics.holm([test(fake, a, b)] * FAMILY)[0] < 0.001


@pytest.mark.parametrize("metric", ["tpr_at_fpr_1pct", "balanced_accuracy"])
def test_a_system_right_of_all_is_told_from_one_wrong_of_all(metric):
    fake = np.arange(80) < 40
    right = np.where(fake, 1, -1)
    p = called(fake, right, -right, metric)
    assert metrics.holm([p] * FAMILY)[0] < 0.001


@pytest.mark.parametrize("test", TESTS)
def test_a_handful_of_images_proves_nothing(test):
    fake = np.arange(8) < 4
    assert test(fake, np.where(fake, 1.0, -1.0), np.zeros(8)) > 0.05


def share_below(p, level):
    return float(np.mean(np.asarray(p) <= level))


def at_most(level, count):
    """Return what the share of so many p-values below a level hardly ever exceeds."""
    return level + 3 * math.sqrt(level * (1 - level) / count) + 1 / count


@pytest.mark.parametrize(("n", "shift"), [(40, 1.2), (100, 2.0)])
def test_without_a_difference_p_is_uniform(n, shift):
    """Two equal systems, again and again: p falls below a level as often as that says."""
    count = 500
    p = [single(*scores(n, shift, shift, n, number), number) for number in range(count)]
    for level in (0.002, 0.01, 0.05, 0.2, 0.5):
        assert share_below(p, level) <= at_most(level, count), level
    for level in (0.05, 0.2, 0.5):
        assert share_below(p, level) >= level - (at_most(level, count) - level), level


@pytest.mark.slow
@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(("n", "shift"), [(30, 1.2), (30, 2.4), (100, 1.8), (100, 3.0)])
def test_without_a_difference_small_p_values_are_rare(test, n, shift):
    """Nearly perfect systems too, where bootstraps deceive."""
    count = 3000
    p = [test(*scores(n, shift, shift, n, number), number) for number in range(count)]
    for level in (0.001, 0.002, 0.005, 0.01, 0.05):
        assert share_below(p, level) <= at_most(level, count), level


def test_with_a_difference_a_corrected_p_finds_it_as_often_as_delongs():
    level, count = 0.05 / FAMILY, 150
    drawn = [scores(100, 1.7, 1.0, "power", number) for number in range(count)]
    ours = share_below([single(*each) for each in drawn], level)
    theirs = share_below([delong(*each) for each in drawn], level)
    assert 0.3 < theirs < 0.9
    assert ours == pytest.approx(theirs, abs=0.07)


N = 100


def test_a_p_value_can_survive_a_long_familys_correction():
    draws = np.random.default_rng(0).normal(0.05, 0.01, 1000)
    p = p_of_draws(draws, 0.05, N)
    assert 1e-8 < p < 1e-5
    assert holm([p] * 40)[0] < 0.05 < holm([2 / 1001] * 40)[0]


def test_a_p_value_is_counted_where_ten_draws_lie_beyond_zero():
    draws = np.array([*np.linspace(0.01, 1, 989), *np.full(10, -0.1), 0.0])
    assert p_of_draws(draws, 0.4, N) == pytest.approx(2 * 12 / 1001)
    assert p_of_draws(-draws, -0.4, N) == pytest.approx(2 * 12 / 1001)
    assert p_of_draws(np.zeros(99), 0.0, N) == 1.0


def test_one_draw_beyond_zero_is_no_floor():
    draws = np.random.default_rng(0).normal(0.05, 0.01, 1000)
    assert p_of_draws(np.append(draws, -0.001), 0.05, N) < 1e-5


def test_fewer_than_ten_give_no_more_than_ten_would():
    """A skewed distribution: most draws just above zero, some far above."""
    draws = np.array([*np.full(700, 0.01), *np.full(300, 1.0)])
    assert p_of_draws(draws, 0.3, N) == pytest.approx(2 * 11 / 1001)


@pytest.mark.parametrize(("n", "p"), [(5, 0.0625), (6, 0.03125), (40, 2.0**-39)])
def test_draws_that_do_not_vary_say_what_a_sign_test_says(n, p):
    for noise in (0.0, 1e-16):
        draws = 0.5 + noise * np.random.default_rng(0).integers(0, 3, 1000)
        found = from_draws(draws, 0.5, n, "drawn", alike=False)
        assert found.p_value == pytest.approx(p)
        assert np.isnan(found.estimate.low)
        assert "do not vary" in found.estimate.method
