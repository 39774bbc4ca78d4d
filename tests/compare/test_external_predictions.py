"""A CSV file written by somebody else: mended and counted, or one clear sentence."""

import pytest

from kerasfaces.compare import external_predictions
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.run import predictions

HEADER = "path,label,source,split,score\n"
GOOD = "a,real,s,test,0.1\nb,fake,g,test,0.9\n"


def _read(tmp_path, text):
    path = tmp_path / "theirs.csv"
    path.write_text(text, encoding="utf-8")
    return external_predictions.read(path)


def test_a_good_file_is_taken_as_it_is(tmp_path):
    found = _read(tmp_path, HEADER + GOOD)
    assert found.frame["score"].tolist() == [0.1, 0.9]
    assert (found.n_repeated, found.notes) == (0, ())


def test_repeated_rows_are_taken_once_and_counted(tmp_path):
    found = _read(tmp_path, HEADER + GOOD + GOOD)
    assert len(found.frame) == 2
    assert found.n_repeated == 2
    assert found.notes == ("Lines 4, 5 repeated a row word for word: taken once",)


@pytest.mark.parametrize("cell", ["nan", "NaN", "", "inf", "-inf"])
def test_a_score_that_is_no_number_is_a_row_without_a_score(tmp_path, cell):
    found = _read(tmp_path, HEADER + GOOD + f"c,fake,g,test,{cell}\n")
    assert found.notes[0].startswith("Line 4 had no finite score")
    assert found.frame["reason"].tolist() == ["", "", "no finite score in the file"]


def test_a_reason_of_its_own_is_kept(tmp_path):
    text = HEADER[:-1] + ",reason\na,real,s,test,nan,broken file\n"
    found = _read(tmp_path, text)
    assert found.notes == ()
    assert found.frame["reason"].tolist() == ["broken file"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (HEADER + "a,real,s,test,0.1\na,real,s,test,0.2\n", "lines 2 and 3: two diff"),
        (HEADER + "a,real,s,test,1.7\n", r"score 1.7 is outside 0..1 \(line 2\)"),
        (HEADER + "a,ai,s,test,0.7\n", r"label 'ai' is unknown; expected real or fake"),
        (HEADER + "a,real,s,dev,0.7\n", "split 'dev' is unknown"),
        (HEADER + "a,real,s,test,high\n", "line 2: score 'high' is not a number"),
        (HEADER, "has a header but no rows"),
        ("", "is empty; expected predictions"),
        ("path,label,source,split\na,real,s,test\n", "columns logit or score missing"),
        ("path,score\na,0.1\n", "columns label, source, split missing"),
        ("path,label,score\na,real,0.1\n", "columns split missing"),
        (HEADER + "a,real,s,test\n", "line 2: 4 fields, expected 5"),
        (HEADER[:-1] + ",score\na,real,s,test,1,0\n", "column 'score' appears twice"),
        ("a;b\na,real,s,test\n", r"4 fields, expected 1 as in the header \(a;b\)"),
        (HEADER + 'a,real,s,test,"0,1"\nb,fake,s,test,0.9\n', "a comma and '0.9'"),
        (HEADER[:-6] + 'logit\na,real,s,test,"1,234"\n', "a thousand or a decimal"),
        (HEADER.replace("path", "p\0ath"), "save it as CSV in UTF-8"),
    ],
)
def test_what_could_mean_two_things_is_one_sentence(tmp_path, text, match):
    with pytest.raises(InputError, match=match):
        _read(tmp_path, text)


def test_names_of_columns_may_stand_apart(tmp_path):
    found = _read(tmp_path, HEADER.replace(",", " , ") + GOOD)
    assert found.frame["score"].tolist() == [0.1, 0.9]


def test_a_score_is_no_answer_where_others_have_a_logit(tmp_path):
    """What was calibrated on logits says nothing of a probability."""
    text = HEADER[:-1] + ",logit\na,real,s,val,0.1,-2\nb,fake,g,test,0.9,\n"
    found = _read(tmp_path, text)
    assert found.notes[0].startswith("Line 3 had no finite logit")
    assert predictions.readable(found.frame)["path"].tolist() == ["a"]
    assert predictions.readable(found.frame[1:]).empty


def test_no_file(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        external_predictions.read(tmp_path / "none.csv")
