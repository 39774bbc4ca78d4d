"""Paired differences of several systems, against slow second implementations."""

import numpy as np
import pytest

from kerasfaces import metrics
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.metrics.system_differences import METRICS, System, SystemMetrics


def example(n=60, better=1.0, ties=False):
    random = rng.generator(0, "together")
    fake = np.arange(n) % 2 == 1
    values = [random.normal(0, 1, n) + shift * fake for shift in (better, 0.2)]
    if ties:
        values = [np.round(each) for each in values]
    systems = {
        name: System(each, each > 0.3, each > 1.2)
        for name, each in zip(("good", "bad"), values, strict=True)
    }
    return fake, systems


def slow(metric, fake, system):
    if metric == "auc":
        return metrics.auc(fake, system.logit)
    if metric == "ap":
        return metrics.ap(fake, system.logit)
    if metric == "tpr_at_fpr_1pct":
        return system.strict[fake].mean()
    return (system.called[fake].mean() + (~system.called[~fake]).mean()) / 2


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("metric", METRICS)
def test_value_and_every_resample_agree_with_the_plain_metric(metric, ties):
    fake, systems = example(ties=ties)
    measure = SystemMetrics("good", fake, systems["good"])
    once = (np.ones((1, n), int) for n in ((~fake).sum(), fake.sum()))
    assert measure(*once)[metric][0] == pytest.approx(
        slow(metric, fake, systems["good"])
    )
    random = np.random.default_rng(0)
    real_rows, fake_rows = np.flatnonzero(~fake), np.flatnonzero(fake)
    for _ in range(5):
        drawn = [random.choice(rows, rows.size) for rows in (real_rows, fake_rows)]
        counts = [
            np.array([[np.count_nonzero(each == row) for row in rows]])
            for each, rows in zip(drawn, (real_rows, fake_rows), strict=True)
        ]
        rows = np.concatenate(drawn)
        system = systems["good"]
        part = System(system.logit[rows], system.called[rows], system.strict[rows])
        expected = slow(metric, fake[rows], part)
        assert measure(*counts)[metric][0] == pytest.approx(expected)


def test_auc_agrees_with_the_comparison_of_two():
    fake, systems = example()
    found = metrics.differences(fake, systems, "bad", resamples=2000)["good"]["auc"]
    other = metrics.auc_difference(
        fake, systems["good"].logit, systems["bad"].logit, resamples=2000
    )
    assert found.estimate.value == pytest.approx(other.estimate.value)
    assert found.estimate.low == pytest.approx(other.estimate.low, abs=0.03)
    assert found.estimate.high == pytest.approx(other.estimate.high, abs=0.03)


def test_turned_round_the_sign_changes():
    fake, systems = example()
    there = metrics.differences(fake, systems, "bad")["good"]
    back = metrics.differences(fake, systems, "good")["bad"]
    for metric in METRICS:
        assert there[metric].estimate.value == -back[metric].estimate.value
        assert there[metric].estimate.low == pytest.approx(-back[metric].estimate.high)
        assert there[metric].p_value == back[metric].p_value


def test_the_same_system_twice_differs_by_nothing():
    fake, systems = example()
    found = metrics.differences(fake, systems | {"twin": systems["good"]}, "good")
    for metric in METRICS:
        estimate = found["twin"][metric].estimate
        assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)
        assert found["twin"][metric].p_value == 1


def test_two_perfect_systems_have_no_interval():
    fake = np.array([0, 0, 1, 1], bool)
    systems = {
        "a": System(np.array([0.0, 1, 2, 3])),
        "b": System(np.array([1.0, 0, 3, 2])),
    }
    found = metrics.differences(fake, systems, "a", resamples=50)["b"]
    assert found["auc"].estimate.value == 0
    assert np.isnan(found["auc"].estimate.low)
    assert "do not vary" in found["auc"].estimate.method


def test_without_a_threshold_only_rankings_differ():
    fake, systems = example()
    systems["foreign"] = System(systems["bad"].logit)
    found = metrics.differences(fake, systems, "good")
    assert np.isfinite(found["foreign"]["ap"].estimate.value)
    assert np.isnan(found["foreign"]["balanced_accuracy"].estimate.value)
    assert "no threshold" in found["foreign"]["tpr_at_fpr_1pct"].estimate.method
    assert np.isfinite(found["bad"]["balanced_accuracy"].estimate.value)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for trial in range(60):
        random = np.random.default_rng(trial)
        fake = np.arange(120) % 2 == 1
        systems = {name: System(random.normal(0, 1, 120) + fake) for name in ("a", "b")}
        found = metrics.differences(fake, systems, "a", 300, trial)["b"]["auc"].estimate
        covered += found.low <= 0 <= found.high
    assert covered >= 52


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda fake, systems: (fake, systems, "none"), r"'none' is none of good, bad"),
        (lambda fake, systems: (fake | True, systems, "good"), "both classes"),
        (lambda fake, systems: (fake[:5], systems, "good"), "5 values for 60"),
        (
            lambda fake, systems: (fake, {"good": System(np.full(60, np.nan))}, "good"),
            "NaN",
        ),
    ],
)
def test_mistakes(change, match):
    with pytest.raises(InputError, match=match):
        metrics.differences(*change(*example()))
