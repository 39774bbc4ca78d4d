"""Slices, groups and the content of metrics.json."""

import json

import numpy as np
import pytest
from fake_predictions import make_predictions

from kerasfaces import metrics
from kerasfaces.core.errors import InputError
from kerasfaces.evaluate import groups, metrics_json, slices, table
from kerasfaces.run import repeats
from kerasfaces.run.thresholds import ValidationPredictions, choose_operating_point


@pytest.fixture
def point():
    return choose_operating_point(ValidationPredictions(make_predictions("val")))


def _scored(point, n=80, **options):
    frame = make_predictions("test", n, **options)
    return frame.assign(score=point.apply(frame["logit"]))


def test_a_source_is_set_against_the_whole_other_class(point):
    frame = _scored(point)
    masks = slices.masks(frame, ["source", "attr_gender"])
    real, gan = frame["label"] == "real", frame["source"] == "gan"
    assert (masks["source=gan"] == (real | gan)).all()
    assert (masks["source=camera"] == (~real | (frame["source"] == "camera"))).all()
    assert (masks["attr_gender=man"] == (frame["attr_gender"] == "man")).all()
    assert masks["all"].all()


def test_a_source_with_both_classes_is_itself(point):
    frame = _scored(point).assign(source="mixed")
    assert slices.masks(frame, ["source"])["source=mixed"].all()


def test_rows_without_a_value_are_in_no_slice(point):
    frame = _scored(point)
    found = metrics_json.measure({"test": frame}, point, resamples=20)["metrics"][
        "test"
    ]
    total = sum(found[f"attr_glasses={value}"]["n"] for value in ("glasses", "none"))
    assert total == (frame["attr_glasses"] != "").sum() < len(frame)
    assert "attr_glasses=" not in found


def test_unreadable_images_are_counted_in_every_slice(point):
    frame = _scored(point)
    frame.loc[[1, 3], ["logit", "score"]] = np.nan
    frame.loc[[1, 3], "reason"] = "truncated"
    found = metrics_json.measure({"test": frame}, point, resamples=20)["metrics"][
        "test"
    ]
    assert (found["all"]["n"], found["all"]["n_unreadable"]) == (78, 2)
    assert found["source=gan"]["n_unreadable"] == 1
    assert found["source=camera"]["n_unreadable"] == 2


def test_an_attribute_group_of_reals_has_its_rate_and_no_auc(point):
    frame = _scored(point)
    frame.loc[frame["label"] == "fake", "attr_gender"] = ""
    found = metrics_json.measure({"test": frame}, point, resamples=20)["metrics"][
        "test"
    ]
    part = found["attr_gender=man"]
    assert part["auc"] == {
        "value": None,
        "low": None,
        "high": None,
        "method": "not defined: no fake images",
    }
    reals = frame[(frame["label"] == "real") & (frame["attr_gender"] == "man")]
    expected = (reals["score"] >= point.threshold).mean()
    assert part["false_alarm_rate"]["value"] == pytest.approx(expected)
    assert part["n_fake"] == 0


def test_content_is_strict_json_and_flat_table_holds_it_all(point):
    content = metrics_json.measure(
        {"val": _scored(point), "test": _scored(point)}, point, resamples=9
    )
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    flat = metrics_json.flat(content)
    n_slices = sum(len(parts) for parts in content["metrics"].values())
    assert len(flat) == n_slices * len(metrics.NAMES)
    assert list(flat.columns[:5]) == ["split", "slice", "metric", "value", "low"]


def test_coarse_one_percent_is_in_the_method(point):
    found = metrics_json.measure({"test": _scored(point)}, point, resamples=9)[
        "metrics"
    ]["test"]
    assert "set on 40 validation reals" in found["all"]["tpr_at_fpr_1pct"]["method"]


def test_no_readable_image_at_all(point):
    frame = _scored(point).assign(logit=np.nan, score=np.nan, reason="gone")
    content = metrics_json.measure({"test": frame}, point, resamples=9)
    assert content["metrics"]["test"]["all"]["n"] == 0
    assert content["metrics"]["test"]["all"]["auc"]["value"] is None
    assert "test: 0 images" in table.text(content)


def test_group_by_unknown_column(point):
    with pytest.raises(
        InputError, match="Cannot group by 'attr_age'; available: source, attr"
    ):
        slices.columns(_scored(point), ["attr_age"])
    with pytest.raises(InputError, match="Cannot group by 'logit'"):
        slices.columns(_scored(point), ["logit"])
    assert slices.columns(_scored(point), ["pair_id"]) == ["pair_id"]


def test_a_group_that_fares_worse_is_told_from_noise(point):
    frame = _scored(point, 1200)
    members = frame["attr_gender"] == "man"
    fake = frame["label"] == "fake"
    frame.loc[members & ~fake, "score"] = 1.0
    found = {g["value"]: g for g in groups.compare(frame, "attr_gender", point)}
    assert found["man"]["distinguishable"]
    assert found["man"]["high"] < 0 < found["woman"]["low"]
    assert found["man"]["p_holm"] == pytest.approx(found["woman"]["p_holm"], abs=1e-6)
    other = groups.compare(_scored(point, 1200), "attr_glasses", point)
    assert not any(group["distinguishable"] for group in other)


def test_sources_are_compared_within_their_class(point):
    found = {g["value"]: g for g in groups.compare(_scored(point), "source", point)}
    assert found["gan"]["on"] == "fake"
    assert found["camera"]["on"] == "real"
    assert (found["gan"]["n_real"], found["gan"]["n_fake"]) == (0, 20)


def test_a_single_group_has_nothing_to_compare_with(point):
    frame = _scored(point).assign(attr_gender="man")
    (found,) = groups.compare(frame, "attr_gender", point)
    assert found["on"] == ""
    assert found["difference"] is None


def test_samples_per_group_repeats_and_ignores_row_order(point):
    frame = _scored(point, 400)
    first = groups.sample(frame, "attr_gender", point, 30, 0)
    assert first == groups.sample(
        frame.sample(frac=1, random_state=1), "attr_gender", point, 30, 0
    )
    assert first != groups.sample(frame, "attr_gender", point, 30, 1)
    assert {part["n"] for part in first.values()} == {30}
    short = groups.sample(frame, "attr_gender", point, 10_000, 0)
    assert sum(part["n"] for part in short.values()) == 400


def test_order_of_rows_does_not_change_the_content(point):
    frame = _scored(point)
    one = metrics_json.measure(
        {"test": frame}, point, resamples=30, samples_per_group=9
    )
    other = frame.sample(frac=1, random_state=0)
    two = metrics_json.measure(
        {"test": other}, point, resamples=30, samples_per_group=9
    )
    a, b = metrics_json.flat(one), metrics_json.flat(two)
    assert (a["method"] == b["method"]).all()
    for column in ("value", "low", "high"):
        first, second = (x[column].astype(float).to_numpy() for x in (a, b))
        assert first == pytest.approx(second, abs=1e-6, nan_ok=True)
    assert one["samples_per_group"] == two["samples_per_group"]


def test_terminal_table_fits_80_columns(point):
    frame = _scored(point)
    frame["source"] = frame["source"].replace(
        "gan", "a generator with quite a long name"
    )
    content = metrics_json.measure(
        {"test": frame, "val": frame}, point, resamples=20, samples_per_group=5
    )
    for split in ("test", "val"):
        text = table.text(content, split)
        assert max(len(line) for line in text.splitlines()) <= 80
        assert "TPR at 1 % false alarms" in text
    assert "not a result" in table.text(content, "val")
    assert "not a result" not in table.text(content, "test")
    assert "by gender" not in table.text(content, "test", ["source"])


def test_repeated_runs_give_mean_and_sd(point):
    runs = [
        metrics_json.measure({"test": _scored(point, seed=seed)}, point, resamples=9)
        for seed in range(3)
    ]
    found = repeats.combine(runs)["metrics"]["test"]["all"]
    values = [run["metrics"]["test"]["all"]["auc"]["value"] for run in runs]
    assert found["auc"]["value"] == pytest.approx(np.mean(values))
    assert found["auc"]["sd"] == pytest.approx(np.std(values, ddof=1))
    assert found["auc"]["method"] == "mean of 3 seeds"
    assert "mean of 3 seeds" in table.text(repeats.combine(runs))
    runs[1]["metrics"]["test"]["all"]["auc"]["value"] = None
    assert repeats.combine(runs)["metrics"]["test"]["all"]["auc"]["value"] is None


def test_repeats_must_match(point):
    run = metrics_json.measure({"test": _scored(point)}, point, resamples=9)
    with pytest.raises(InputError, match="different splits"):
        repeats.combine([run, {"metrics": {"val": {}}}])
    with pytest.raises(InputError, match="at least one"):
        repeats.combine([])
    assert repeats.combine([run])["metrics"]["test"]["all"]["auc"]["sd"] is None
