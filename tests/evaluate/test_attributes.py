"""The attribute report: what it says is so, and it says nothing that is not."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from attribute_runs import GENDER, every_sentence, women_fail
from fake_predictions import make_predictions

from kerasfaces.api.result import Result
from kerasfaces.cli import evaluate as command
from kerasfaces.core.errors import InputError
from kerasfaces.evaluate import annotators, attribute_rates, attribute_words
from kerasfaces.run.folder import ScoredRun

WORDS = re.compile(
    r"\b(bias|biased|discriminat\w*|because|causes?|due to|racist|unfair)\b"
)


def test_counts_and_rates_are_those_of_a_plain_loop(attribute_run, tmp_path):
    content = attribute_run()["attr_gender"]
    frame = ScoredRun(tmp_path / "work/run").predictions("test")
    threshold = ScoredRun(tmp_path / "work/run").operating_point.threshold
    for value, group in content["groups"].items():
        own = [row for row in frame.itertuples() if row.attr_gender == value]
        reals = [row for row in own if row.label == "real"]
        fakes = [row for row in own if row.label == "fake"]
        alarms = sum(row.score >= threshold for row in reals)
        misses = sum(row.score < threshold for row in fakes)
        assert (group["n_real"], group["n_fake"]) == (len(reals), len(fakes))
        assert group["false_alarm_rate"]["wrong"] == alarms
        assert group["miss_rate"]["value"] == pytest.approx(misses / len(fakes))
        right = (len(own) - alarms - misses) / len(own)
        assert group["accuracy"]["value"] == pytest.approx(right)


def test_equal_groups_are_not_told_apart_and_no_verdict_is_given(attribute_run):
    content = attribute_run()["attr_gender"]
    for group in content["groups"].values():
        assert not any(gap["distinguishable"] for gap in group["gaps"].values())
    sentences = " ".join(every_sentence(content))
    assert "These images cannot tell the two groups apart." in sentences
    assert "more than chance" not in sentences
    assert not WORDS.search(sentences.lower())


def test_a_gap_that_is_there_is_said_with_n_interval_and_p(attribute_run):
    content = attribute_run(women_fail)["attr_gender"]
    gap = content["groups"]["man"]["gaps"]["false_alarm_rate"]
    assert gap["high"] < 0
    assert gap["p_holm"] < 0.05
    quote = attribute_words.quotes("attr_gender", content)[0]
    n = content["groups"]["woman"]["n_real"]
    assert f"{n} labelled woman" in quote
    assert "95 % interval" in quote
    assert "That is more than chance explains." in quote
    assert not WORDS.search(quote.lower())
    mirrored = content["groups"]["woman"]["gaps"]["false_alarm_rate"]
    assert (mirrored["value"], mirrored["low"]) == (-gap["value"], -gap["high"])


def test_comparisons_are_corrected_for_all_attributes_of_the_report(attribute_run):
    def four(frame):
        races = np.array(["a", "b", "c", "d"])[np.arange(len(frame)) // 2 % 4]
        return frame.assign(attr_race=races.astype(object))

    measured = attribute_run(four)
    gaps = [
        gap
        for name in ("attr_gender", "attr_glasses", "attr_race")
        for value, group in measured[name]["groups"].items()
        for gap in group["gaps"].values()
        if value not in ("woman", "none")  # the other group's gap, negated
    ]
    assert len(gaps) == 2 + 2 + 8
    assert {measured[name]["n_tests"] for name in measured if "*" not in name} == {12}
    least = min(gaps, key=lambda gap: gap["p"])
    assert least["p_holm"] == pytest.approx(min(1.0, 12 * least["p"]))
    woman = measured["attr_gender"]["groups"]["woman"]["gaps"]["miss_rate"]
    man = measured["attr_gender"]["groups"]["man"]["gaps"]["miss_rate"]
    assert woman["p_holm"] == man["p_holm"]
    assert measured["attr_gender*attr_race"]["n_tests"] == 16  # by itself


def test_a_group_of_one_and_an_empty_cell_are_counted(attribute_run):
    def change(frame):
        frame.loc[0, "attr_gender"] = "martian"
        frame.loc[1:3, "attr_gender"] = ""
        return frame

    content = attribute_run(change)["attr_gender"]
    assert content["unlabelled"] == {"real": 1, "fake": 2}
    assert "gaps" not in content["groups"]["martian"]
    sentences = " ".join(every_sentence(content))
    assert "martian (1)" in sentences
    assert "martian (0)" in sentences
    assert "3 readable images have no label for gender (1 real, 2 fake)" in sentences


def test_one_class_is_nothing_to_compare(attribute_run):
    content = attribute_run(lambda frame: frame.assign(attr_gender="man"))[
        "attr_gender"
    ]
    (quote,) = attribute_words.quotes("attr_gender", content)
    assert "200 real, 200 fake): there is nothing to compare it with" in quote
    assert not any("gaps" in group for group in content["groups"].values())


def test_reals_alone_with_labels_have_false_alarms_alone(attribute_run):
    def change(frame):
        frame.loc[frame["label"] == "fake", "attr_gender"] = ""
        return frame

    content = attribute_run(change)["attr_gender"]
    assert "No fake image has a label for gender" in " ".join(every_sentence(content))
    assert content["groups"]["man"]["miss_rate"]["value"] is None
    assert content["equalised_odds"]["value"] is not None


def test_names_and_other_free_text_are_not_compared(attribute_run):
    def change(frame):
        return frame.assign(attr_name=[f"n{i % 40}" for i in range(len(frame))])

    content = attribute_run(change)["attr_name"]
    assert content["groups"] == {}
    assert "40 classes, more than 12" in every_sentence(content, "attr_name")[0]


def test_two_attributes_are_crossed_where_n_allows(attribute_run):
    def change(frame):
        race = np.where(np.arange(len(frame)) < 20, "rare", "common")
        return frame.assign(attr_race=race.astype(object))

    content = attribute_run(change)["attr_gender*attr_race"]
    assert set(content["groups"]) == {"man, common", "woman, common"}
    assert content["n_too_small"] == 2
    sentences = " ".join(every_sentence(content, "attr_gender*attr_race"))
    assert "2 of 4 combinations have too few images" in sentences


def test_another_pair_is_crossed_when_it_is_asked_for(attribute_run):
    assert "attr_gender*attr_glasses" in attribute_run(by=["attr_gender*attr_glasses"])


@pytest.mark.parametrize("by", ["attr_gender*attr_gender", "attr_gender*source"])
def test_what_is_no_pair_of_attributes_is_refused(attribute_run, by):
    with pytest.raises(InputError, match="expected two attributes"):
        attribute_run(by=[by])


def test_a_gap_between_sources_is_not_one_between_groups():
    """Both groups err alike inside each source; one source is harder and has more women."""
    rows = []
    for source, women, score in (("soft", 160, 0.9), ("sharp", 40, 0.1)):
        for number in range(200):
            wrong = number % 2 == 0 if source == "soft" else number % 20 == 0
            rows.append((source, number % 200 < women, score if wrong else 0.05))
    frame = pd.DataFrame(rows, columns=["source", "woman", "score"])
    frame["attr_gender"] = np.where(frame["woman"], "woman", "man")
    frame = frame.assign(label="real", logit=frame["score"], split="test", reason="")
    frame.loc[frame["source"] == "sharp", "score"] *= 9
    point = type("Point", (), {"threshold": 0.6})()
    content = attribute_rates.measure(frame, ["attr_gender"], point)["attr_gender"]
    man = content["groups"]["man"]
    assert man["gaps"]["false_alarm_rate"]["distinguishable"]
    inside = man["within_sources"]["false_alarm_rate"]
    assert inside["low"] < 0 < inside["high"]
    assert "so that it may be a gap between sources" in every_sentence(content)[0]


def test_calibration_is_compared_at_one_mix_of_the_classes(attribute_run):
    def change(frame):
        few = (frame["label"] == "fake") & (frame["attr_gender"] == "man")
        few &= np.arange(len(frame)) % 8 != 1
        return frame[~few].reset_index(drop=True)

    content = attribute_run(change, n=800)["attr_gender"]
    offsets = [group["calibration"] for group in content["groups"].values()]
    for offset in offsets:  # men have few fakes, which is no fault of the scores
        assert abs(offset["value"]) < 0.06
    gap = content["calibration_gap"]
    assert gap["low"] == 0
    assert gap["value"] < 0.06


def test_thresholds_per_group_are_set_on_validation_and_only_counted(
    attribute_run, tmp_path
):
    content = attribute_run(women_fail)["attr_gender"]
    what_if = content["thresholds"]
    run_ = ScoredRun(tmp_path / "work/run")
    val, point = run_.predictions("val"), run_.operating_point
    for value in ("man", "woman"):
        own = val[(val["label"] == "real") & (val["attr_gender"] == value)]["score"]
        threshold = what_if["groups"][value]["threshold"]
        assert (own >= threshold).mean() <= point.false_alarm_rate
        lower = own[own < threshold].max()
        assert (own >= lower).mean() > point.false_alarm_rate
    everybody = what_if["groups"]["all"]
    assert everybody["frozen"]["miss_rate"] != everybody["own"]["miss_rate"]
    page = (tmp_path / "work/run/report.html").read_text(encoding="utf-8")
    assert "Nothing here is applied." in page
    assert run_.operating_point == point


def test_too_few_validation_reals_are_no_threshold(attribute_run):
    content = attribute_run(n=60)["attr_gender"]
    assert "fewer than 20 real images" in content["thresholds"]["why_not"]


def test_by_gives_the_same_numbers_as_a_table_and_a_plot(attribute_run, tmp_path):
    content = attribute_run(women_fail, entry=GENDER)["attr_gender"]
    folder = ScoredRun(tmp_path / "work/run")
    result = Result(folder.path, "test", folder.operating_point)
    table = result.by("attr_gender")
    woman = content["groups"]["woman"]
    assert table.loc["woman", "false_alarm_rate"] == woman["false_alarm_rate"]["value"]
    gap = woman["corrected_gaps"]["false_alarm_rate"]
    assert table.loc["woman", "false_alarm_rate_gap_low"] == gap["low"]
    assert "false_alarm_rate" not in result.by("source")
    axes = result.plot_by("attr_gender", "miss_rate")
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        f"{value} ({group['n_fake']:,})" for value, group in content["groups"].items()
    ]
    assert result.sentences("attr_gender") == every_sentence(content)
    with pytest.raises(InputError, match="There is no attribute 'attr_shoes'"):
        result.sentences("attr_shoes")
    with pytest.raises(InputError, match="metric: expected"):
        result.plot_by("attr_gender", "auc")


def test_the_command_prints_the_sentences_for_what_is_asked(
    attribute_run, tmp_path, capsys
):
    attribute_run(women_fail)
    assert command.main([str(tmp_path / "work/run"), "--by", "attr_gender"]) == 0
    printed = capsys.readouterr().out
    assert "- Of " in printed
    assert "called fake" in printed
    assert max(map(len, printed.splitlines()[:-1])) <= 80
    assert command.main([str(tmp_path / "work/run")]) == 0
    assert "- Of " not in capsys.readouterr().out


def test_order_of_rows_changes_nothing():
    frame = make_predictions(n=200).assign(
        score=lambda f: 1 / (1 + np.exp(-f["logit"]))
    )
    point = type("Point", (), {"threshold": 0.5})()
    labels = {"attr_gender": annotators.usable_entry(GENDER)}
    turned = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    first, second = (
        attribute_rates.measure(each, ["attr_gender"], point, labels)
        for each in (frame, turned)
    )
    assert json.dumps(first) == json.dumps(second)


def test_hostile_names_of_classes_and_columns_stay_text(attribute_run, tmp_path):
    names = ["<script>alert(1)</script>", "$x$\n\x1b[31m" + "y" * 500]

    def change(frame):
        cells = np.array(names, dtype=object)[np.arange(len(frame)) // 2 % 2]
        return frame.assign(attr_gender=cells, **{"attr_a*b": cells})

    measured = attribute_run(change)
    assert "attr_a*b" not in measured  # a name that reads as a pair of attributes
    folder = ScoredRun(tmp_path / "work/run")
    page = folder.report.read_text(encoding="utf-8")
    assert "<script>alert" not in page
    result = Result(folder.path, "test", folder.operating_point)
    sentences = " ".join(result.sentences("attr_gender"))
    assert "\x1b" not in sentences
    assert len(max(sentences.split(), key=len)) < 60
    result.plot_by("attr_gender").figure.canvas.draw()
