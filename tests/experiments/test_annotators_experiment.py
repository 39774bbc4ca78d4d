"""Measuring annotators: halves, thresholds, what is recorded."""

import numpy as np
import pandas as pd
import pytest

from experiments.annotators import glasses_head, measuring, results
from kerasfaces.annotate import answers as asked
from kerasfaces.annotate.answers import Answers
from kerasfaces.annotate.contract import Weights
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import read_json
from kerasfaces.manifest import Manifest

N = 200


@pytest.fixture
def faces(tmp_path):
    """Rows that state a gender, with made-up hashes: real photos of two sources."""
    random = np.random.default_rng(0)
    digests = [f"{n:08x}" + "0" * 56 for n in random.integers(0, 2**32, N)]
    rows = pd.DataFrame(
        {
            "path": [f"{n}.jpg" for n in range(N)],
            "label": "real",
            "source": ["utkface" if n % 4 == 0 else "ffhq" for n in range(N)],
            "split": "",
            "sha256": digests,
            "attr_gender": ["man" if n % 2 else "woman" for n in range(N)],
            "attr_race": "",
            "attr_age": "30",
        }
    )
    return Manifest(rows, tmp_path)


@pytest.fixture
def gear(monkeypatch):
    """An annotator that is right where it is sure, and asked of the other by `gone`."""

    def ask(files, digests, names, weights, spread=None):
        if names == ("emotion",):
            raise MissingFileError("its weights are elsewhere")
        numbers = []
        for n in range(len(files)):
            sure, man = n % 5 > 0, n % 2 == 1
            share = 0.9 if sure else 0.55
            gender = [share, 1 - share] if man == sure else [1 - share, share]
            numbers.append(np.array([*gender, *[1 / 7] * 7, *[0.2] * 5], np.float32))
        return Answers(
            {"gear": numbers}, {"gear": [""] * len(files)}, {"gear": {"graph": "x"}}
        )

    monkeypatch.setattr(asked, "ask", ask)


def test_one_half_chooses_and_the_other_is_measured(faces, gear, tmp_path):
    table, notes, entries = measuring.run(
        faces, ("gear", "emotion"), Weights(), tmp_path / "out"
    )
    gender = table[table["attribute"] == "attr_gender"]
    whole = gender[gender["stated"] == "all"].set_index("source")
    assert 0 < whole["n"].sum() < N
    assert whole.loc["utkface", "trained_on"]
    assert not whole.loc["ffhq", "trained_on"]
    assert (
        whole.loc["ffhq", "accuracy"] == 1.0
    )  # those it is not sure of are not answered
    assert "takes 0.6" in notes[0]
    assert "emotion was not measured: its weights are elsewhere" in notes[-1]
    (entry,) = [each for each in entries if each["attribute"] == "attr_gender"]
    assert entry["confusion"]["n"] == whole.loc["ffhq", "n"]
    assert entry["confusion"]["counts"][0][1] == 0
    assert read_json(tmp_path / "out" / "measured.json")["attributes"] == entries
    lines = results.as_markdown(table)
    assert "| gear | attr_gender | utkface, its training data |" in lines
    assert (
        "| emotion | attr_expression | – | all | 0 | 0 | not run: no weights |" in lines
    )


def test_a_record_keeps_what_others_have_there(faces, gear, tmp_path):
    target, file = tmp_path / "table.csv", tmp_path / "m.json"
    for names in (("gear",), ("emotion",)):
        table, _, entries = measuring.run(faces, names, Weights(), tmp_path / "out")
        results.record(table, entries, target, file)
    whole = pd.read_csv(target, keep_default_na=False)
    assert dict(whole.groupby("by")["status"].first()) == {
        "emotion": "not run: no weights",
        "gear": "run",
    }
    assert [each["by"] for each in read_json(file)["attributes"]] == [["gear"]]


def test_missing_portraits_are_one_sentence(tmp_path):
    with pytest.raises(InputError, match="298 of the hand-labelled portraits"):
        glasses_head.train(tmp_path, tmp_path / "x.npz")
    assert not (tmp_path / "x.npz").exists()
