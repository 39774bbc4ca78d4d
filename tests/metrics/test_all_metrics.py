"""All metrics at once: intervals, slices, the bootstrap's own promises."""

import math

import numpy as np
import pytest

from kerasfaces import metrics
from kerasfaces.core.errors import InputError
from kerasfaces.metrics import bootstrap
from kerasfaces.metrics.bootstrap import Side

AT = metrics.Thresholds(0.5, 0.9)


def make(n_real=61, n_fake=80, shift=1.5, seed=0, ties=False):
    random = np.random.default_rng(seed)
    fake = np.arange(n_real + n_fake) >= n_real
    logit = random.normal(size=fake.size) + shift * fake
    if ties:
        logit = np.round(logit)
    return metrics.Rows.of(fake, logit, 1 / (1 + np.exp(-logit)))


def test_every_metric_has_an_interval_that_holds_it():
    found = metrics.measure(make(), AT, resamples=200)
    assert tuple(found) == metrics.NAMES
    for name, estimate in found.items():
        assert estimate.low <= estimate.value <= estimate.high, name
        assert estimate.low < estimate.high, name


def test_order_of_rows_and_of_slices_changes_nothing():
    rows = make(ties=True)
    order = np.random.default_rng(3).permutation(rows.fake.size)
    even = np.arange(rows.fake.size) % 2 == 0
    every = np.ones(rows.fake.size, bool)
    masks = {"all": every, "twin": every, "even": even}
    shuffled = {"even": even[order], "twin": every, "all": every}
    first = metrics.measure_slices(rows, masks, AT, 50)
    second = metrics.measure_slices(rows.where(order), shuffled, AT, 50)
    assert _numbers(first["all"]) == pytest.approx(_numbers(second["all"]), abs=1e-6)
    assert _numbers(first["even"]) == pytest.approx(_numbers(second["even"]), abs=1e-6)


def _numbers(found):
    return [x for e in found.values() for x in (e.value, e.low, e.high)]


def test_seed_changes_the_resamples_and_only_them():
    a, b = (metrics.measure(make(), AT, 100, seed)["auc"] for seed in (0, 1))
    assert a.value == b.value
    assert a.low != b.low


@pytest.mark.parametrize("present", ["real", "fake"])
def test_a_slice_of_one_class_has_its_rates_and_no_ranking(present):
    rows = make()
    only = rows.where(rows.fake == (present == "fake"))
    found = metrics.measure(only, AT, 20)
    rates = {
        "real": {"accuracy", "false_alarm_rate"},
        "fake": {"accuracy", "recall", "tpr_at_fpr_1pct", "miss_rate"},
    }[present]
    for name, estimate in found.items():
        assert math.isnan(estimate.value) == (name not in rates), name
        if name not in rates:
            absent = "real" if present == "fake" else "fake"
            assert estimate.method == f"not defined: no {absent} images"


def test_an_empty_slice_is_all_undefined():
    found = metrics.measure(metrics.Rows.of([], [], []), AT, 20)
    assert all(math.isnan(estimate.value) for estimate in found.values())
    assert found["auc"].method == "not defined: no images"


def test_one_image_of_a_class_claims_little():
    found = metrics.measure(make(n_real=1, n_fake=30), AT, 100)
    assert found["auc"].high - found["auc"].low > 0.3
    assert math.isnan(found["ece"].low)
    assert "fewer than 10 images" in found["ece"].method


def test_perfect_separation_is_not_certainty():
    found = metrics.measure(make(shift=30), metrics.Thresholds(0.999, 0.999), 100)
    for name in ("auc", "ap", "balanced_accuracy", "accuracy", "precision", "f1"):
        assert found[name].value == 1.0
        assert found[name].low < 0.99, name
    assert "Newcombe" in found["auc"].method
    assert "Clopper-Pearson distribution" in found["precision"].method


def test_nothing_called_fake_has_no_precision():
    found = metrics.measure(make(), metrics.Thresholds(1.1, 1.1), 20)
    assert found["precision"].method == "not defined: nothing was called fake"


def test_strict_threshold_says_what_it_costs_here():
    rows = make()
    method = metrics.measure(rows, AT, 20)["tpr_at_fpr_1pct"].method
    alarms = int((rows.score[~rows.fake] >= 0.9).sum())
    assert f"{alarms} of 61 reals are false alarms there" in method


def test_rows_are_checked():
    with pytest.raises(InputError, match=r"expected probabilities in 0..1, got 0.5..3"):
        metrics.Rows.of([0, 1], [1.0, 2.0], [0.5, 3.0])
    with pytest.raises(InputError, match="2 logits for 1 scores"):
        metrics.Rows.of([0, 1], [1.0, 2.0], [0.5])


@pytest.mark.parametrize("ties", [False, True])
def test_a_resample_measured_by_counts_equals_one_measured_by_rows(ties, monkeypatch):
    rows = make(12, 17, ties=ties)
    drawn = {}
    real_draw = bootstrap.draw_counts

    def spy(n, k, generator):
        drawn[n] = real_draw(n, k, generator)
        return drawn[n]

    monkeypatch.setattr(bootstrap, "draw_counts", spy)
    sides = [
        Side.of(
            str(o), rows.logit[rows.fake == o], rows.score[rows.fake == o], float(o)
        )
        for o in (False, True)
    ]
    found = bootstrap.bootstrap({"all": (sides[0], sides[1])}, resamples=5)["all"]
    for index in range(5):
        logit = np.concatenate([np.repeat(s.logit, drawn[s.n][index]) for s in sides])
        score = np.concatenate([np.repeat(s.score, drawn[s.n][index]) for s in sides])
        fake = np.arange(29) >= 12
        assert found.auc[index] == pytest.approx(metrics.auc(fake, logit), abs=1e-6)
        assert found.ap[index] == pytest.approx(metrics.ap(fake, logit), abs=1e-6)
        assert found.ece[index] == pytest.approx(metrics.ece(fake, score), abs=1e-6)
        assert found.brier[index] == pytest.approx(metrics.brier(fake, score), abs=1e-6)


def test_scores_that_disobey_the_logits_are_binned_right():
    random = np.random.default_rng(0)
    for outcome in (0.0, 1.0):
        logit, score = random.normal(size=40), random.random(40)
        side = Side.of("a", logit, score, outcome)
        order, gap, bounds = side.bins
        found = [gap[first:end].sum() for first, end in bounds]
        index = np.minimum((score * 15).astype(int), 14)
        assert order is not None
        assert found == pytest.approx(np.bincount(index, outcome - score, 15), abs=1e-6)
        ordered = Side.of("b", logit, 1 / (1 + np.exp(-logit)), outcome)
        order, gap, bounds = ordered.bins
        found = [gap[first:end].sum() for first, end in bounds]
        index = np.minimum((ordered.score * 15).astype(int), 14)
        assert order is None
        expected = np.bincount(index, outcome - ordered.score, 15)
        assert found == pytest.approx(expected, abs=1e-6)


def test_chunks_do_not_change_the_resamples(monkeypatch):
    whole = metrics.measure(make(), AT, 40)
    monkeypatch.setattr(bootstrap, "_CHUNK_ELEMENTS", 200)
    again = metrics.measure(make(), AT, 40)
    assert _numbers(again) == pytest.approx(_numbers(whole), abs=1e-6)


def test_every_resample_draws_as_many_rows_as_there_are():
    for n in (1, 2, 51):
        counts = bootstrap.draw_counts(n, 7, np.random.default_rng(0))
        assert counts.shape == (7, n)
        assert (counts.sum(axis=1) == n).all()


def test_rows_are_drawn_evenly():
    counts = bootstrap.draw_counts(9, 20_000, np.random.default_rng(0))
    assert counts.mean(axis=0) == pytest.approx(np.ones(9), abs=0.03)
    assert counts.var(axis=0) == pytest.approx(np.full(9, 8 / 9), abs=0.04)


def test_bootstrap_interval_has_the_width_theory_gives():
    rows = make(500, 500, shift=1.2)
    found = metrics.measure(rows, AT, 1000)["auc"]
    a = found.value  # Hanley & McNeil 1982
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = (a * (1 - a) + 499 * (q1 - a * a) + 499 * (q2 - a * a)) / 250_000
    assert found.high - found.low == pytest.approx(3.92 * math.sqrt(variance), rel=0.15)


class TestPaired:
    def test_same_system_differs_by_nothing(self):
        rows = make()
        found = metrics.auc_difference(rows.fake, rows.logit, rows.logit, 100)
        assert (found.estimate.value, found.p_value) == (0.0, 1.0)

    def test_a_better_system_is_found_better(self):
        good, bad = make(300, 300, 2.0), make(300, 300, 0.5, seed=1)
        found = metrics.auc_difference(good.fake, good.logit, bad.logit, 300)
        assert found.estimate.low > 0
        assert found.p_value < 0.01
        back = metrics.auc_difference(good.fake, bad.logit, good.logit, 300)
        assert back.estimate.value == pytest.approx(-found.estimate.value)

    def test_pairing_narrows_the_interval(self):
        rows = make(200, 200, 1.0)
        near = rows.logit + 0.05 * np.random.default_rng(5).normal(size=400)
        far = make(200, 200, 1.0, seed=9).logit
        widths = []
        for other in (near, far):
            e = metrics.auc_difference(rows.fake, rows.logit, other, 200).estimate
            widths.append(e.high - e.low)
        assert widths[0] < widths[1] / 4

    def test_lengths_must_agree(self):
        with pytest.raises(InputError, match="values for 2 scores"):
            metrics.auc_difference([0, 1, 1], [0.1, 0.2, 0.3], [0.1, 0.2])

    def test_two_perfect_systems_have_no_interval(self):
        fake = np.repeat([0, 1], 5)
        found = metrics.auc_difference(
            fake, [*range(10)], [*range(5)[::-1], *range(5, 10)], 50
        )
        assert found.estimate.value == 0
        assert "do not vary" in found.estimate.method


class TestPlatt:
    def test_recovers_the_sigmoid_that_made_the_labels(self):
        random = np.random.default_rng(0)
        logit = random.normal(0, 2, 20_000)
        fake = random.random(20_000) < 1 / (1 + np.exp(-(1.7 * logit - 0.6)))
        fitted = metrics.fit_platt(fake, logit)
        assert (fitted.a, fitted.b) == pytest.approx((1.7, -0.6), abs=0.08)
        assert metrics.ece(fake, fitted(logit)) < 0.015

    def test_separated_classes_get_finite_scores_short_of_certainty(self):
        fitted = metrics.fit_platt([0] * 10 + [1] * 10, [-5.0] * 10 + [5.0] * 10)
        assert fitted([-5.0, 5.0]) == pytest.approx([1 / 12, 11 / 12], abs=1e-4)

    def test_minimises_the_smoothed_cross_entropy(self):
        rows = make()
        fitted = metrics.fit_platt(rows.fake, rows.logit)
        target = np.where(rows.fake, 81 / 82, 1 / 63)

        def loss(a, b):
            z = a * rows.logit + b
            return (np.logaddexp(0, z) - target * z).sum()

        best = loss(fitted.a, fitted.b)
        for da, db in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
            assert loss(fitted.a + da, fitted.b + db) > best

    @pytest.mark.parametrize("scale", [1e-6, 1e6])
    def test_scale_of_logits_does_not_matter(self, scale):
        rows = make()
        one = metrics.fit_platt(rows.fake, rows.logit)(rows.logit)
        other = metrics.fit_platt(rows.fake, rows.logit * scale)(rows.logit * scale)
        assert other == pytest.approx(one, abs=1e-9)

    def test_constant_logits_give_the_base_rate(self):
        fitted = metrics.fit_platt([0, 1, 1, 1], [3.0] * 4)
        assert fitted([3.0]) == pytest.approx([4 / 6])

    @pytest.mark.parametrize("centre", [3.0, -40.0])
    def test_logits_that_differ_by_rounding_alone_give_the_base_rate(self, centre):
        below = np.nextafter(np.float32(centre), np.float32(0))
        logits = np.array([below, centre] * 20, np.float32)  # ranks them perfectly
        fitted = metrics.fit_platt([0, 1] * 20, logits)
        assert fitted.a == 0
        assert fitted(logits) == pytest.approx([0.5] * 40)

    def test_logits_far_from_zero_are_still_calibrated(self):
        rows = make()
        one = metrics.fit_platt(rows.fake, rows.logit)(rows.logit)
        other = metrics.fit_platt(rows.fake, rows.logit + 1e3)(rows.logit + 1e3)
        assert other == pytest.approx(one, abs=1e-9)

    def test_one_class_cannot_be_calibrated(self):
        with pytest.raises(InputError, match="needs both classes"):
            metrics.fit_platt([1, 1], [0.1, 0.2])


def test_systems_that_rank_alike_do_not_differ():
    rows = make()
    found = metrics.auc_difference(rows.fake, rows.logit, rows.logit * 2, 50)
    assert (found.estimate.value, found.p_value) == (0.0, 1.0)
