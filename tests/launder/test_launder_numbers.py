"""Cells, shifts and risk against slow second implementations."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tiny_runs import operating_point

from kerasfaces.core import rng
from kerasfaces.launder import cells, limit, selective, shifts, variants

POINT = operating_point(false_alarm_rate=0.1, miss_rate=0.1)
CHOSEN = variants.of(["jpeg:70", "blur:1"])


@pytest.fixture
def answers():
    """60 reals of two cameras, 40 fakes of two generators and one of a third."""
    random = rng.generator(0, "launder cells")
    source = ["a"] * 40 + ["b"] * 20 + ["gan"] * 25 + ["diffusion"] * 15 + ["rare"]
    fake = np.arange(101) >= 60
    before = random.normal(0, 1, 101) + 2 * fake - 1
    jpeg = before + random.normal(0.5, 0.3, 101)
    blur = 0.3 * before + random.normal(0, 0.5, 101)
    blur[[0, 61]] = np.nan
    logits = np.stack([before, jpeg, blur], axis=1)
    refused = np.zeros(logits.shape, dtype=bool)
    return cells.Answers(fake, pd.Series(source), CHOSEN, logits, refused, POINT)


def cell(measured, generator, name):
    return next(
        each
        for each in measured
        if each.generator == generator and each.variant.name == name
    )


def test_cells_by_brute_force(answers):
    measured, _ = cells.measure(answers, 10, 200, 0)
    assert {each.generator for each in measured} == {"all", "gan", "diffusion", "rare"}
    blur = answers.logits[:, 2]
    reals = blur[:60][np.isfinite(blur[:60])]
    fakes = blur[60:85][np.isfinite(blur[60:85])]
    expected = np.mean([[(f > r) + 0.5 * (f == r) for r in reals] for f in fakes])
    one = cell(measured, "gan", "blur 1")
    assert one.metrics["auc"].value == pytest.approx(expected)
    assert (one.n_real, one.n_fake, one.n_lost) == (59, 24, 2)
    assert one.metrics["recall"].value == pytest.approx((fakes >= 0).mean())
    strict = np.log(0.9 / 0.1)
    alarms = one.metrics["false_alarms_at_fpr_1pct"]
    assert alarms.value == pytest.approx((reals >= strict).mean())
    assert alarms.low <= alarms.value <= alarms.high
    assert "auc_change" not in cell(measured, "gan", "untouched").metrics
    both = np.isfinite(blur) & ((answers.source == "gan") | ~answers.fake)
    before = answers.logits[both.to_numpy(), 0]
    labels = answers.fake[both.to_numpy()]
    change = expected - np.mean(
        [[f > r for r in before[~labels]] for f in before[labels]]
    )
    assert one.metrics["auc_change"].value == pytest.approx(change)


def test_a_generator_of_one_image_is_named_and_not_measured(answers):
    measured, _ = cells.measure(answers, 10, 100, 0)
    rare = [each for each in measured if each.generator == "rare"]
    assert [each.status for each in rare] == ["not run: 1 images, fewer than 10"]
    whole = cell(measured, "all", "untouched")
    assert whole.n_fake == 41


def test_worst_is_the_lowest_of_single_generators(answers):
    measured, _ = cells.measure(answers, 10, 100, 0)
    lowest = cells.worst(measured)
    single = [each for each in measured if each.generator in ("gan", "diffusion")]
    assert lowest.auc == min(each.auc for each in single)
    assert cells.worst([]) is None
    few = [each for each in measured if each.generator == "all" or each.status != "run"]
    assert cells.worst(few).generator == "all"  # no generator has images enough


def test_a_laundering_that_always_fails_has_a_status(answers):
    answers.logits[60:85, 1] = np.nan
    measured, _ = cells.measure(answers, 10, 100, 0)
    one = cell(measured, "gan", "jpeg 70")
    assert one.status == "not run: no fake image has a logit"
    assert one.n_lost == 25
    assert cell(measured, "diffusion", "jpeg 70").status == "run"
    answers.refused[60:85, 1] = True
    measured, _ = cells.measure(answers, 10, 100, 0)
    one = cell(measured, "gan", "jpeg 70")
    assert one.status == "no verdict: every picture is too small to judge"
    content = {"cells": [each.to_dict() for each in measured]}
    assert limit.n_refused(content) == 1
    names = [each["generator"] for each in limit.below(content, 0.01)]
    assert names == ["rare"]


def test_cameras_have_their_own_false_alarms(answers):
    _, cameras = cells.measure(answers, 10, 100, 0)
    wanted = {"camera": "b", "laundering": "jpeg", "strength": 70}
    one = next(each for each in cameras if wanted.items() <= each.items())
    alarms = (answers.logits[40:60, 1] >= 0).mean()
    assert one["false_alarm_rate"]["value"] == pytest.approx(alarms)
    assert one["n"] == 20


def test_bias_index_is_welchs_difference_in_units(answers):
    fake, (before, after, _) = answers.fake, answers.logits.T
    unit = shifts.unit_of(fake, before)
    real_sd, fake_sd = before[~fake].std(ddof=1), before[fake].std(ddof=1)
    assert unit == pytest.approx(np.sqrt((real_sd**2 + fake_sd**2) / 2))
    measured = shifts.measure(fake, before, after, unit)
    shift = (after - before) / unit
    test = stats.ttest_ind(shift[~fake], shift[fake], equal_var=False)
    low, high = test.confidence_interval()
    index = measured["bias_index"]
    assert index.value == pytest.approx(shift[~fake].mean() - shift[fake].mean())
    assert (index.low, index.high) == pytest.approx((low, high))
    one = stats.ttest_1samp(shift[fake], 0).confidence_interval()
    mean = measured["shift_fake"]
    assert (mean.low, mean.high) == pytest.approx((one.low, one.high))


def test_moved_alike_the_bias_is_zero_and_approaching_it_is_positive():
    fake = np.arange(40) >= 20
    before = rng.generator(0, "shift").normal(0, 1, 40) + 3 * fake
    unit = shifts.unit_of(fake, before)
    alike = shifts.measure(fake, before, before + 5, unit)
    assert alike["bias_index"].value == pytest.approx(0)
    assert alike["shift_real"].value == pytest.approx(5 / unit)
    nearer = shifts.measure(fake, before, 0.5 * before, unit)["bias_index"]
    assert nearer.low > 0
    apart = shifts.measure(fake, before, 1.5 * before, unit)["bias_index"]
    assert apart.high < 0


def test_without_variation_or_images_there_is_no_index():
    fake = np.array([False, False, True, True])
    flat = shifts.measure(
        fake, np.zeros(4), np.ones(4), shifts.unit_of(fake, np.zeros(4))
    )
    assert np.isnan(flat["bias_index"].value)
    assert "do not vary" in flat["bias_index"].method
    few = np.array([False, True, True])
    assert np.isnan(shifts.unit_of(few, np.arange(3.0)))


def test_coverage_and_risk_at_the_band_weigh_classes_alike():
    fake = np.array([False] * 4 + [True] * 8)
    scores = np.array([0.1, 0.5, 0.7, 0.2, 0.9, 0.3, 0.5, 0.55, 0.8, 0.7, 0.9, 0.1])
    measured = selective.at_band(fake, scores, POINT)
    assert measured["coverage"].value == pytest.approx((3 / 4 + 6 / 8) / 2)
    assert measured["risk"].value == pytest.approx((1 / 3 + 2 / 6) / 2)
    assert 0 <= measured["risk"].low < measured["risk"].value < measured["risk"].high
    unsure = selective.at_band(fake, np.full(12, 0.5), POINT)
    assert np.isnan(unsure["risk"].value)
    assert unsure["coverage"].value == 0


def test_the_curve_ends_in_the_balanced_error_and_falls_where_margins_tell():
    random = rng.generator(0, "curve")
    fake = np.arange(300) >= 200
    margins = random.random((300, 3))
    wrong = random.random((300, 3)) > margins
    margins[5, 1] = np.nan
    curve = selective.curve(fake, margins, wrong, 100, 0)
    known = np.isfinite(margins)
    sides = [wrong[known & side[:, None]].mean() for side in (~fake, fake)]
    assert curve.risk[0] == pytest.approx(np.mean(sides))
    assert curve.risk[-1] < curve.risk[0] - 0.2
    assert (curve.low <= curve.risk).all()
    assert (curve.risk <= curve.high).all()
    assert curve.high[0] - curve.low[0] < 0.2


def test_versions_of_an_image_are_drawn_together():
    random = rng.generator(0, "clusters")
    fake = np.arange(80) >= 40
    margins, wrong = random.random((80, 1)), random.random((80, 1)) > 0.7
    once = selective.curve(fake, margins, wrong, 400, 0)
    copies = np.repeat(margins, 20, axis=1), np.repeat(wrong, 20, axis=1)
    many = selective.curve(fake, *copies, 400, 0)
    width = once.high[0] - once.low[0]
    assert many.high[0] - many.low[0] == pytest.approx(width, rel=0.15)


def test_below_a_limit(answers):
    measured, _ = cells.measure(answers, 10, 100, 0)
    content = {"cells": [each.to_dict() for each in measured]}
    known = [each.auc for each in measured if each.status == "run"]
    middle = float(np.median(known))
    failed = limit.below(content, middle)
    assert len(failed) == sum(auc < middle for auc in known) + 1  # `rare` is not tested
    text = limit.sentence(failed, len(measured), middle)
    assert "worst: " in text
    assert "1 could not be measured, first rare" in text
    lowest = min(known)
    assert f"AUC {lowest:.3f}" in text
    assert [each["generator"] for each in limit.below(content, 0.01)] == ["rare"]
