"""Detectors that fit the others badly: turned round, other labels, other images."""

import numpy as np
import pandas as pd
import pytest
from detector_files import scored, write_csv

from kerasfaces import metrics
from kerasfaces.compare.comparison import compare
from kerasfaces.core.errors import InputError


def test_scores_of_real_are_suspected(tmp_path, ours, asked):
    frame = scored("test", 3.0, seed=1)
    path = write_csv(tmp_path / "odd.csv", frame.assign(logit=-frame["logit"]))
    notes = asked(ours, path)["detectors"]["odd"]["notes"]
    assert "probability of real" in notes[0]


@pytest.mark.parametrize("column", ["score", "logit"])
def test_calibration_does_not_turn_a_ranking_round_unsaid(
    tmp_path, ours, column, asked
):
    parts = [scored(split, 3.0, seed=1) for split in ("val", "test")]
    both = pd.concat(parts).assign(logit=lambda frame: -frame["logit"])
    path = write_csv(tmp_path / "odd.csv", both, column)
    content = asked(ours, path)["detectors"]["odd"]
    assert content["metrics"]["all"]["auc"]["value"] == pytest.approx(
        metrics.auc(parts[1]["label"], -parts[1]["logit"])
    )
    assert "validation ranks reals above fakes" in content["notes"][0]
    assert "probability of real" in content["notes"][1]


def test_a_threshold_set_on_few_reals_is_called_coarse(ours, theirs, asked):
    notes = asked(ours, theirs)["detectors"]["ours"]["notes"]
    assert "coarse: with 60 reals one is already 1.7 %" in notes[-1]


def test_labels_must_agree(tmp_path, ours, asked):
    frame = scored("test", seed=1)
    frame["label"] = np.where(frame["label"] == "real", "fake", "real")
    path = write_csv(tmp_path / "odd.csv", frame)
    with pytest.raises(InputError, match="disagree on the label of 120 of 120 images"):
        asked(ours, path)


def test_other_names_of_sources_are_said(tmp_path, ours, asked):
    path = write_csv(tmp_path / "odd.csv", scored("test", seed=1).assign(source="x"))
    content = asked(ours, path)
    assert content["notes"][0].startswith("odd names another source than ours for 120")


def test_no_rows_in_common(tmp_path, ours, asked):
    frame = scored("test", seed=1)
    frame["path"] = [f"elsewhere{i}.png" for i in range(len(frame))]
    path = write_csv(tmp_path / "odd.csv", frame)
    with pytest.raises(InputError, match="No image was scored by all 2 detectors"):
        asked(ours, path)


def test_who_shares_no_image_is_named_and_the_rest_is_compared(
    tmp_path, ours, theirs, asked
):
    frame = scored("test", seed=1)
    frame["path"] = [f"elsewhere{i}.png" for i in range(len(frame))]
    odd = write_csv(tmp_path / "odd.csv", frame)
    content = asked(odd, ours, theirs)
    assert set(content["detectors"]) == {"ours", "theirs"}
    assert content["n"] == content["n_known"] == 120
    assert "with it no image was scored by all" in content["not_compared"]["odd"]


def test_who_scored_one_class_is_named_and_the_rest_is_compared(
    tmp_path, ours, theirs, asked
):
    frame = scored("test", seed=1)
    odd = write_csv(tmp_path / "odd.csv", frame[frame["label"] == "real"])
    content = asked(ours, odd, theirs)
    assert set(content["detectors"]) == {"ours", "theirs"}
    assert "it scored 60 real images" in content["not_compared"]["odd"]


def test_few_rows_in_common_are_said(tmp_path, ours, asked):
    path = write_csv(tmp_path / "few.csv", scored("test", seed=1).head(10))
    assert "Only 10 of the 120 images" in asked(ours, path)["notes"][0]


def test_one_class_in_common(tmp_path, ours, asked):
    frame = scored("test", seed=1)
    path = write_csv(tmp_path / "odd.csv", frame[frame["label"] == "real"])
    with pytest.raises(InputError, match="60 real and 0 fake images in common"):
        asked(ours, path)


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_threshold_chosen_on_the_compared_images_is_said(tmp_path, ours, split):
    from kerasfaces.compare import report as compare_report

    frame = pd.concat([scored(split, 1.0, seed=1) for split in ("val", "test")])
    theirs = write_csv(tmp_path / "theirs.csv", frame)
    found = compare([str(ours), str(theirs)], split, resamples=100)
    page = compare_report.render(found, "two")
    said = "chosen on these very images" in str(found.content["detectors"]["ours"])
    assert said == (split == "val")
    assert ("No threshold was chosen on the compared images" in page) == (not said)
    why = found.content["detectors"]["theirs"]["threshold"]
    assert ("predictions are what is compared" in why) == said
    assert "it has no validation" not in why


def test_a_file_that_names_an_image_twice_cannot_choose_its_threshold_on_it(
    tmp_path, ours, asked
):
    val, test = scored("val", seed=1), scored("test", seed=1)
    again = test.assign(split="val", path=["./" + path for path in test["path"]])
    path = write_csv(tmp_path / "theirs.csv", pd.concat([val, again, test]))
    with pytest.raises(InputError, match="120 images are in the compared split and in"):
        asked(path, ours)
