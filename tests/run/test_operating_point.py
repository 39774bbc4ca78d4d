"""Thresholds come from validation, and only from there."""

import dataclasses

import numpy as np
import pytest
from fake_predictions import make_predictions

from kerasfaces.core.errors import InputError, RunError
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.run.thresholds import ValidationPredictions, choose_operating_point


def _choose(frame=None, **options):
    frame = make_predictions("val", 400) if frame is None else frame
    return choose_operating_point(ValidationPredictions(frame), **options)


@pytest.mark.parametrize("split", ["test", "train"])
def test_only_validation_rows_may_choose(split):
    with pytest.raises(
        InputError, match=f"chosen on validation only; got rows of split '{split}'"
    ):
        ValidationPredictions(make_predictions(split))


@pytest.mark.parametrize("label", ["real", "fake"])
def test_both_classes_are_needed(label):
    frame = make_predictions("val")
    with pytest.raises(InputError, match="a threshold needs at least 1 of each"):
        ValidationPredictions(frame[frame["label"] == label])


def test_unreadable_rows_take_no_part():
    frame = make_predictions("val")
    frame.loc[:9, "logit"] = np.nan
    frame.loc[:9, "reason"] = "truncated"
    assert ValidationPredictions(frame).n_real == 35


def test_no_threshold_has_a_higher_balanced_accuracy():
    frame = make_predictions("val", 200)
    point = _choose(frame)
    fake = (frame["label"] == "fake").to_numpy()
    scores = point.apply(frame["logit"])

    def balanced(threshold):
        called = scores >= threshold
        return (called[fake].mean() + (~called[~fake]).mean()) / 2

    assert balanced(point.threshold) == max(balanced(t) for t in scores)
    assert point.false_alarm_rate == (scores[~fake] >= point.threshold).mean()
    assert point.miss_rate == (scores[fake] < point.threshold).mean()


@pytest.mark.parametrize("n_real", [100, 150, 250])
def test_one_percent_is_kept_on_validation_and_used_up(n_real):
    frame = make_predictions("val", 2 * n_real)
    point = _choose(frame)
    reals = point.apply(frame["logit"][frame["label"] == "real"])
    alarms = int((reals >= point.threshold_fpr_1pct).sum())
    assert alarms == n_real // 100
    assert "coarse" not in point.rule_fpr_1pct


def test_few_reals_make_one_percent_coarse_and_say_so():
    point = _choose(make_predictions("val", 80))
    assert "coarse: with 40 reals one is already 2.5 %" in point.rule_fpr_1pct
    assert point.n_real == 40


def test_ties_among_reals_never_exceed_the_rate():
    frame = make_predictions("val", 400)
    frame["logit"] = frame["logit"].round()
    point = _choose(frame)
    reals = point.apply(frame["logit"][frame["label"] == "real"])
    assert (reals >= point.threshold_fpr_1pct).mean() <= 0.01


def test_a_false_alarm_rate_can_be_asked_for():
    point = _choose(false_alarm_rate=0.05)
    assert point.false_alarm_rate == pytest.approx(0.05)
    assert "5 % false alarms" in point.rule
    for bad in (0, 1, -0.1, float("nan")):
        with pytest.raises(InputError, match="expected 0 < rate < 1"):
            _choose(false_alarm_rate=bad)


def test_abstaining_halves_the_errors():
    frame = make_predictions("val", 400)
    point = _choose(frame)
    low, high = point.abstain
    assert low < point.threshold < high
    fake = (frame["label"] == "fake").to_numpy()
    scores = point.apply(frame["logit"])
    wrong = (scores >= point.threshold) != fake
    sure = (scores < low) | (scores > high)
    assert wrong[sure].mean() <= wrong.mean() / 2 * 1.05
    assert sure.mean() >= 0.5


def test_separated_classes_need_no_abstaining():
    frame = make_predictions("val", 60, shift=50)
    point = _choose(frame)
    assert point.abstain == (point.threshold, point.threshold)
    assert (point.false_alarm_rate, point.miss_rate) == (0, 0)
    assert point.threshold == pytest.approx(0.5, abs=0.2)


def test_one_image_of_each_class_is_enough_to_go_on():
    frame = make_predictions("val", 2)
    point = _choose(frame)
    assert 0 <= point.threshold <= 1


@pytest.mark.parametrize("logit", [0.0, 3.0, -1e6])
def test_a_constant_model_gets_a_threshold(logit):
    frame = make_predictions("val", 20).assign(logit=logit)
    point = _choose(frame)
    assert point.apply([logit])[0] == pytest.approx(0.5, abs=1e-6)


def test_scores_are_ordered_as_the_logits_and_nan_stays():
    point = _choose()
    scores = point.apply([-2.0, np.nan, 0.0, 2.0])
    assert np.isnan(scores[1])
    assert scores[0] < scores[2] < scores[3]


def test_json_round_trip_of_every_field():
    point = _choose(false_alarm_rate=0.02)
    again = OperatingPoint.from_json(point.to_json(), "x")
    assert again == point
    changed = dataclasses.replace(point, abstain=(0.1, 0.2), n_fake=7, rule="r")
    assert OperatingPoint.from_json(changed.to_json(), "x") == changed != point
    assert point.to_json()["chosen_on"] == {
        "split": "val",
        "n_real": 200,
        "n_fake": 200,
    }


@pytest.mark.parametrize(
    "damage",
    [
        {"calibrator": {"kind": "isotonic"}},
        {"threshold": None},
        {"abstain": [0.1]},
        {"chosen_on": {}},
    ],
)
def test_damaged_json_is_reported(damage):
    with pytest.raises(RunError, match=r"operating_point\.json cannot be read"):
        OperatingPoint.from_json(_choose().to_json() | damage, "operating_point.json")
