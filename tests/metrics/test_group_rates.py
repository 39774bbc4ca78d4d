"""Gaps between groups' rates: against simulation and against what is known in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasfaces.metrics.group_rates import largest_gap, needed_n, within_strata
from kerasfaces.metrics.intervals import combined
from kerasfaces.metrics.mislabelled_groups import LabelErrors, rate_of, true_counts

counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_n_needed_agrees_with_tables():
    assert (
        needed_n(0.10, 0.05) == 686
    )  # Fleiss, Levin & Paik, table A.4 without correction
    assert needed_n(0.50, 0.05) == pytest.approx(1565, abs=2)
    assert needed_n(0.98, 0.05) == needed_n(0.93, 0.05)  # no room above: the other way


def test_n_needed_gives_the_power_it_promises():
    n, random = needed_n(0.2, 0.1), np.random.default_rng(0)
    draws = random.binomial(n, [[0.2, 0.3]] * 400)
    seen = [
        (limits := combined([(int(a), n), (int(b), n)], (1, -1)))[1] > 0
        or limits[2] < 0
        for a, b in draws
    ]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.06)


@given(st.lists(counts, min_size=2, max_size=5))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_the_largest_gap_is_the_largest_and_lies_in_its_limits(groups):
    gap = largest_gap([groups])
    rates = [count / n for count, n in groups]
    assert gap.value == pytest.approx(max(rates) - min(rates))
    assert 0 <= gap.low <= gap.value <= gap.high


def test_the_largest_gap_of_equal_groups_starts_at_zero_nearly_always():
    random = np.random.default_rng(1)
    lows = [
        largest_gap([[(int(c), 80) for c in random.binomial(80, 0.3, 6)]]).low
        for _ in range(200)
    ]
    assert (
        np.mean(np.array(lows) > 0) < 0.06
    )  # pairs at 95 % each would be wrong in a third


def test_within_strata_undoes_what_the_strata_mix():
    # Equal rates inside both strata, groups spread unevenly over them.
    gap = within_strata([((9, 90), (1, 10)), ((5, 10), (45, 90))])
    assert gap.value == pytest.approx(0.0)
    assert gap.low < 0 < gap.high
    together = combined([(14, 100), (46, 100)], (1, -1))
    assert together[2] < 0  # which is told apart without strata


def test_within_one_stratum_it_is_the_plain_difference():
    gap = within_strata([((30, 100), (10, 100))])
    assert gap.value == pytest.approx(0.2)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 100 + 0.1 * 0.9 / 100)
    assert (gap.low, gap.high) == pytest.approx((0.2 - half, 0.2 + half), abs=0.01)


def errors(*rows):
    return LabelErrors(("a", "b"), (np.array(rows),))


def drawn(confusion, labelled, seed=0):
    random = np.random.default_rng(seed)
    wrong, images = true_counts(confusion, labelled, random)
    return [rate_of(wrong[:, at], images[:, at], random) for at in range(2)]


def test_a_perfect_annotator_changes_no_rate():
    a, b = drawn(errors([10**6, 0], [0, 10**6]), [(20, 100), (60, 100)])
    assert (a[0], b[0]) == pytest.approx((0.2, 0.6), abs=1e-6)
    assert np.quantile(a, [0.025, 0.975]) == pytest.approx([0.13, 0.29], abs=0.02)


def test_the_truth_is_recovered_from_its_own_mixture():
    # 1,000 of each; rates .1 and .3; a fifth of `a` is labelled b, a tenth of `b` a.
    labelled = [(80 + 30, 800 + 100), (20 + 270, 200 + 900)]
    a, b = drawn(errors([800, 200], [100, 900]), labelled)
    assert (a[0], b[0]) == pytest.approx((0.1, 0.3), abs=1e-9)


def test_an_annotator_at_chance_tells_nothing():
    a, b = drawn(errors([50, 50], [50, 50]), [(20, 100), (60, 100)])
    low, high = np.quantile(a - b, [0.025, 0.975])
    assert high - low > 1.5


def test_fewer_images_of_the_annotator_widen_the_interval():
    labelled = [(200, 1000), (400, 1000)]
    widths = [
        np.ptp(
            np.quantile(
                drawn(errors([9 * n, n], [n, 9 * n]), labelled)[0], [0.025, 0.975]
            )
        )
        for n in (1000, 3)
    ]
    assert widths[1] > 1.3 * widths[0]


def test_the_interval_holds_the_truth_where_the_plain_one_does_not():
    random, truth = np.random.default_rng(2), np.array([0.05, 0.25])
    labels_of = np.array([[0.92, 0.08], [0.1, 0.9]])
    held = plain = 0
    for run in range(120):
        true = (random.random(400) < 0.2).astype(int)
        label = (random.random(400) < labels_of[true, 1]).astype(int)
        wrong = random.random(400) < truth[true]
        confusion = np.stack([random.multinomial(100, row) for row in labels_of])
        labelled = [
            (int(wrong[label == g].sum()), int((label == g).sum())) for g in (0, 1)
        ]
        _, b = drawn(errors(*confusion), labelled, run)
        low, high = np.quantile(b, [0.025, 0.975])
        held += low <= truth[1] <= high
        _, low, high = combined(labelled[1:], (1,))
        plain += low <= truth[1] <= high
    assert held >= 108  # 95 % of 120 are 114
    assert plain < 104


def test_errors_in_two_attributes_multiply():
    one, two = np.array([[9, 1], [2, 8]]), np.array([[6, 4], [0, 10]])
    both = LabelErrors(("x", "y", "z", "w"), (one, two)).rates()
    expected = np.kron(one / one.sum(1, keepdims=True), two / two.sum(1, keepdims=True))
    np.testing.assert_allclose(both, expected)
