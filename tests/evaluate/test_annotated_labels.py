"""Labels that an annotator gave: its errors are in the interval, and named."""

import json

import numpy as np
import pytest
from attribute_runs import GENDER, every_sentence, women_fail
from fake_predictions import make_predictions

from kerasfaces.evaluate import attribute_words
from kerasfaces.evaluate.run import evaluate_run


def test_the_annotators_errors_widen_and_are_named(attribute_run):
    content = attribute_run(women_fail, entry=GENDER)["attr_gender"]
    group = content["groups"]["woman"]
    plain, corrected = group["false_alarm_rate"], group["corrected"]["false_alarm_rate"]
    assert corrected["value"] > plain["value"]  # men among them made it smaller
    widths = [each["high"] - each["low"] for each in (plain, corrected)]
    assert widths[1] > widths[0]
    sentences = " ".join(every_sentence(content))
    assert "'gear', which was right on 284 of 300 images (95 %)" in sentences
    assert "with wrong labels allowed for" in sentences


def test_labels_of_an_annotator_at_chance_tell_nothing(attribute_run):
    chance = GENDER | {"confusion": [[75, 75], [75, 75]]}
    content = attribute_run(women_fail, entry=chance)["attr_gender"]
    assert content["groups"]["man"]["gaps"]["false_alarm_rate"]["distinguishable"]
    gap = content["groups"]["man"]["corrected_gaps"]["false_alarm_rate"]
    assert gap["low"] < 0 < gap["high"]
    assert "cannot tell the two groups apart" in every_sentence(content)[0]


def test_without_the_file_labels_are_said_to_be_taken_as_exact(attribute_run):
    content = attribute_run()["attr_gender"]
    assert "corrected" not in content["groups"]["man"]
    assert "taken as exact" in content["labels"]


def test_classes_that_the_annotator_does_not_know_are_named(attribute_run):
    entry = GENDER | {"classes": ["man", "person"]}
    content = attribute_run(entry=entry)["attr_gender"]
    assert "does not know the class woman" in content["labels"]
    assert "corrected" not in content["groups"]["man"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not valid JSON"),
        ("[]", "holds no object"),
        ("[" * 100_000, "recursion"),
        ('{"attr_gender": 1}', "annotator's name"),
        ('{"attr_gender": {"annotator": "a", "confusion": [[1]]}}', "names of classes"),
        (
            json.dumps({"attr_gender": GENDER | {"confusion": [[1, 2]]}}),
            "matrix of 2 x 2",
        ),
        (
            json.dumps({"attr_gender": GENDER | {"confusion": [[1, -2], [0, 1]]}}),
            "whole numbers",
        ),
        (
            json.dumps({"attr_gender": GENDER | {"confusion": [[0, 0], [0, 0]]}}),
            "no image",
        ),
    ],
)
def test_a_damaged_file_is_one_sentence_in_the_report(
    attribute_run, tmp_path, text, sentence
):
    content = attribute_run(text=text)["attr_gender"]
    assert "corrected" not in content["groups"]["man"]
    page = (tmp_path / "work/run/report.html").read_text(encoding="utf-8")
    assert sentence.replace("'", "&#39;") in page.replace("\n", " ")
    assert "taken as exact" in page


def test_an_annotator_without_measured_errors_is_named(attribute_run):
    content = attribute_run(entry={"annotator": "somebody"})["attr_gender"]
    assert "'somebody', whose errors are not known here" in content["labels"]


def test_what_was_read_stays_with_the_run_when_the_images_move(attribute_run, tmp_path):
    attribute_run(entry=GENDER)
    (tmp_path / "work/images/annotators.json").unlink()
    again = evaluate_run(tmp_path / "work/run")["attributes"]["test"]["attr_gender"]
    assert "corrected" in again["groups"]["man"]


def test_what_annotate_writes_is_read_and_stated_labels_stay_exact(attribute_run):
    """Half of the labels are stated, the others of an annotator at chance."""
    matrix = {"classes": ["man", "woman"], "counts": [[75, 75], [75, 75]], "n": 300}
    text = json.dumps(
        {
            "format": 1,
            "attributes": {"attr_gender": {"annotator": "gear", "confusion": matrix}},
        }
    )

    def change(share):
        def of(frame):
            stated = np.arange(len(frame)) % 10 < 10 * share
            by = np.where(stated, "stated", "gear").astype(object)
            return women_fail(frame).assign(annotated_gender_by=by)

        return of

    half = attribute_run(change(0.5), text=text)["attr_gender"]
    assert "200 of 400 labels are stated, and exact." in half["labels"]
    gap = half["groups"]["man"]["corrected_gaps"]["false_alarm_rate"]
    assert gap["high"] - gap["low"] < 1.2  # what is stated tells something
    assert gap["value"] < 0


def test_where_all_labels_are_stated_nothing_is_corrected(attribute_run):
    content = attribute_run(
        lambda frame: frame.assign(annotated_gender_by="stated"), entry=GENDER
    )["attr_gender"]
    assert (
        content["labels"]
        == "The labels are stated or corrected by hand: taken as exact."
    )
    assert "corrected" not in content["groups"]["man"]


def test_predictions_keep_who_labelled():
    from kerasfaces.run import predictions

    rows = make_predictions(n=4)[["path", "label", "source", "split"]].assign(
        attr_gender="man", annotated_gender_by="gear", annotated_gender_confidence="0.9"
    )
    carried = predictions.as_predictions(rows, np.zeros(4), [""] * 4).columns
    assert "annotated_gender_by" in carried
    assert "annotated_gender_confidence" not in carried


def test_a_class_whose_labels_are_all_stated_stays_as_it_is(attribute_run):
    """Of the reals all are stated, of the fakes none: one family of comparisons."""

    def change(frame):
        by = np.where(frame["label"] == "real", "stated", "gear").astype(object)
        return women_fail(frame).assign(annotated_gender_by=by)

    content = attribute_run(change, entry=GENDER)["attr_gender"]
    man = content["groups"]["man"]
    assert set(man["corrected"]) == set(man["corrected_gaps"]) == {"miss_rate"}
    gap = attribute_words.gap_of(man, "false_alarm_rate")
    assert gap is man["gaps"]["false_alarm_rate"]
    assert gap["p_holm"] >= 2 * gap["p"]  # both rates count


def test_an_annotator_without_the_file_is_named_by_the_rows(attribute_run):
    content = attribute_run(lambda frame: frame.assign(annotated_gender_by="gear"))
    labels = content["attr_gender"]["labels"]
    assert "'gear', whose errors are not known here" in labels
    assert "taken as exact" in content["attr_glasses"]["labels"]
