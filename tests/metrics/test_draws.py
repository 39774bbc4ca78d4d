"""The p-value of resampled differences, case by case."""

import numpy as np
import pytest

from kerasfaces.metrics.draws import from_draws, p_of_draws
from kerasfaces.metrics.intervals import holm

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
