"""Probabilities -> values; annotators that agree, disagree or are not sure."""

import numpy as np
import pandas as pd
import pytest

from kerasfaces.annotate import columns, measure
from kerasfaces.annotate.columns import Judged
from kerasfaces.annotate.contract import Answer, Attribute, decide

RACE = Attribute(
    name="race",
    values={"white": "white", "asian": "asian", "indian": "asian", "other": ""},
    min_confidence=0.6,
)
AGE = Attribute(
    name="age", values={"young": "", "old": ""}, numbers=(20.0, 60.0), min_confidence=0
)


def array(*values):
    return np.array(values, np.float32)


def test_merged_classes_are_summed():
    answer = decide(RACE, array(0.4, 0.31, 0.29, 0.0))
    assert answer.value == "asian"
    assert answer.raw == "white"
    assert answer.confidence == pytest.approx(0.6)


def test_an_age_is_the_mean():
    assert decide(AGE, array(0.25, 0.75)).value == "50"


def judged(*rows, thresholds=None):
    """Rows of answers by two annotators."""
    names = "one", "two"
    answers = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    reasons = ["" if row[0] else "no face found" for row in rows]
    limits = thresholds or dict.fromkeys(names, 0.6)
    return Judged(RACE, names, answers, reasons, limits)


def test_two_annotators():
    sure, unsure = Answer("white", 0.9, "white"), Answer("white", 0.5, "white")
    asian, none = Answer("asian", 0.8, "indian"), Answer("", 0.9, "other")
    one = judged(
        (sure, sure),
        (sure, unsure),
        (unsure, asian),
        (sure, asian),
        (unsure, unsure),
        (none, unsure),
        (None, sure),
        (None, None),
    )
    cells = columns.annotated(one)
    assert [cell[0] for cell in cells] == [
        "white",
        "white",
        "asian",
        "",
        "",
        "",
        "white",
        "",
    ]
    assert [cell[2] for cell in cells] == [
        "one and two",
        "one",
        "two",
        "annotators disagree",
        "not sure",
        "no word for it",
        "two",
        "no face found",
    ]
    assert cells[2][1:] == ("0.800", "two", "indian")


def frame(stated, **more):
    return pd.DataFrame({"source": "s", "attr_race": stated, **more})


def test_a_confusion_matrix_counts_stated_rows():
    sure, asian = Answer("white", 0.9, "white"), Answer("asian", 0.8, "indian")
    unsure = Answer("white", 0.3, "white")
    one = judged(*[(sure, sure)] * 20, *[(asian, asian)] * 10, *[(unsure, unsure)] * 5)
    stated = ["white"] * 18 + ["indian"] * 16 + ["martian"]
    matrix = measure.confusion(stated, one)
    assert matrix["classes"] == ["white", "asian"]
    assert matrix["counts"] == [[18, 0], [2, 10]]
    assert matrix["unanswered"] == [0, 4]
    assert matrix["n"] == 34
    seen = [True] * len(stated)
    assert measure.confusion(stated, one, seen) is None


def test_the_table_has_exact_intervals_per_group():
    sure, asian = Answer("white", 0.9, "white"), Answer("asian", 0.8, "indian")
    one = judged(*[(sure, sure)] * 8, *[(asian, asian)] * 2)
    rows = frame(["white"] * 9 + [""])
    line = measure.table(rows, {"race": one}).iloc[0]
    assert (line["n"], line["answered"], line["right"]) == (9, 9, 8)
    assert line["accuracy"] == pytest.approx(8 / 9)
    assert line["low"] == pytest.approx(0.5175, abs=1e-3)


def test_what_an_annotator_wrote_is_not_stated():
    rows = frame(["white", "white", "asian"], annotated_race_by=["one", "hand", ""])
    assert columns.stated(rows, "race") == ["", "white", "asian"]
