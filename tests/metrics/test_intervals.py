"""Closed-form intervals against SciPy and against what they promise."""

import math

import numpy as np
import pytest
from scipy import stats

from kerasfaces import metrics
from kerasfaces.core.errors import InputError
from kerasfaces.metrics import intervals
from kerasfaces.metrics.intervals import combined, percentiles, undefined


@pytest.mark.parametrize("n", [1, 2, 7, 100, 3001, 100_000])
@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.9, 1])
def test_clopper_pearson_is_scipys(n, share):
    count = round(share * n)
    expected = stats.binomtest(count, n).proportion_ci(0.95, "exact")
    low, high = metrics.clopper_pearson(count, n)
    assert low == pytest.approx(expected.low, rel=1e-7, abs=1e-12)
    assert high == pytest.approx(expected.high, rel=1e-7, abs=1e-12)


def test_clopper_pearson_of_one_hit_in_many():
    low, high = metrics.clopper_pearson(1, 100_000)
    assert low == pytest.approx(2.5317e-7, rel=1e-3)
    assert high == pytest.approx(5.5715e-5, rel=1e-3)


@pytest.mark.parametrize(("count", "n"), [(0, 0), (-1, 3), (4, 3)])
def test_impossible_counts_are_refused(count, n):
    with pytest.raises(InputError, match="expected 0 <= count <= n"):
        metrics.clopper_pearson(count, n)


@pytest.mark.parametrize(("count", "n"), [(0, 9), (3, 9), (9, 9), (40, 157)])
def test_wilson_is_scipys(count, n):
    expected = stats.binomtest(count, n).proportion_ci(0.95, "wilson")
    assert metrics.wilson(count, n) == pytest.approx((expected.low, expected.high))


def test_difference_is_newcombes_published_example():
    # Newcombe 1998, table II, 56/70 - 48/80, method 10
    value, low, high = combined([(56, 70), (48, 80)], [1, -1])
    assert (value, low, high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


def test_p_value_and_interval_agree():
    rates = [(56, 70), (48, 80)]
    p = metrics.p_value(rates, [1, -1])
    assert combined(rates, [1, -1], 1 - p)[1] == pytest.approx(0, abs=1e-6)
    assert metrics.p_value([(5, 10), (5, 10)], [1, -1]) == pytest.approx(1, abs=1e-6)


def test_holm_is_monotone_and_at_most_one():
    assert metrics.holm([0.01, 0.04, 0.03, 0.9]) == pytest.approx(
        [0.04, 0.09, 0.09, 0.9]
    )
    assert metrics.holm([0.7, 0.8]) == [1.0, 1.0]
    assert metrics.holm([]) == []


def test_mean_sd_over_seeds():
    assert metrics.mean_sd([0.9, 0.92, 0.94]) == pytest.approx((0.92, 0.02))
    mean, sd = metrics.mean_sd([0.9])
    assert mean == 0.9
    assert math.isnan(sd)
    with pytest.raises(InputError, match="finite values, one per seed"):
        metrics.mean_sd([0.9, math.nan])


def test_an_interval_always_holds_its_value():
    low, high = percentiles(np.array([0.4, 0.5, 0.6]), 0.7)
    assert low <= 0.7 <= high


def test_estimates_write_nan_as_null():
    assert undefined("no images").to_dict() == {
        "value": None,
        "low": None,
        "high": None,
        "method": "not defined: no images",
    }
    assert metrics.rate(1, 4).to_dict()["value"] == 0.25


def test_a_perfect_ranking_of_few_images_is_not_certain():
    few = intervals.newcombe_auc(1.0, 20, 20)
    many = intervals.newcombe_auc(1.0, 2000, 2000)
    assert few.high == many.high == 1.0
    assert 0.85 < few.low < 0.95
    assert 0.998 < many.low < 1.0
    worst = intervals.newcombe_auc(0.0, 20, 20)
    assert worst.low == 0.0
    assert worst.high == pytest.approx(1 - few.low)


def test_ap_follows_the_auc():
    area = intervals.newcombe_auc(1.0, 50, 50)
    ap = intervals.newcombe_ap(1.0, area, 50, 50, (1.0, 1.0))
    assert 0.8 < ap.low < area.low
    assert ap.high == 1.0


def test_the_bootstrap_is_left_where_it_deceives():
    assert intervals.is_near_perfect(1.0, 1000, 1000)
    assert intervals.is_near_perfect(0.99, 150, 5000)
    assert not intervals.is_near_perfect(0.95, 157, 157)
    assert intervals.is_near_perfect(0.01, 150, 5000)


def test_holm_leaves_out_what_could_not_be_tested():
    found = metrics.holm([math.nan, 0.01, 0.04])
    assert math.isnan(found[0])
    assert found[1:] == pytest.approx([0.02, 0.04])
