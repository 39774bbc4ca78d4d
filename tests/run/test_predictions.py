"""predictions.csv: what is written is what is read, and what is wrong is named by line."""

import numpy as np
import pandas as pd
import pytest
from fake_predictions import make_predictions

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.run import predictions

HEADER = "path,label,source,split,logit,score,reason\n"


def _read(tmp_path, text):
    path = tmp_path / "p.csv"
    path.write_text(text, encoding="utf-8")
    return predictions.read(path)


def test_round_trip_keeps_every_bit_and_every_hostile_path(tmp_path):
    frame = make_predictions(n=8)
    names = [
        "a b/é 顔.png",
        "line\nbreak.png",
        "carriage\rreturn.png",
        "both\r\n.png",
        'quote",comma.png',
        "<script>alert(1)</script>.png",
        "not utf-8 \udcff.png",
        " leading and trailing ",
    ]
    frame["path"] = pd.Series(names, dtype=object)
    frame["score"] = 1 / (1 + np.exp(-frame["logit"]))
    frame.loc[3, ["logit", "score"]] = np.nan
    frame["reason"] = frame["reason"].astype(object)
    frame.loc[3, "reason"] = 'bad, "very" bad\nindeed'
    predictions.write(frame, tmp_path / "p.csv")
    pd.testing.assert_frame_equal(predictions.read(tmp_path / "p.csv"), frame)


def test_extra_columns_are_kept_and_attributes_found(tmp_path):
    frame = _read(
        tmp_path, HEADER[:-1] + ",attr_a,attr_b,other\nx,real,s,test,1,,,v,,z\n"
    )
    assert list(frame.columns[7:]) == ["attr_a", "attr_b", "other"]
    assert predictions.attributes(frame) == ["attr_a"]


def test_foreign_file_without_logit_is_ranked_by_score(tmp_path):
    text = "path,label,source,split,score\na,real,s,test,0.25\nb,fake,g,test,0.75\n"
    frame = _read(tmp_path, text)
    assert predictions.ranking(frame).tolist() == [0.25, 0.75]
    assert frame["reason"].tolist() == ["", ""]


def test_a_byte_order_mark_and_blank_lines_do_no_harm(tmp_path):
    frame = _read(tmp_path, "\ufeff" + HEADER + "\na,real,s,test,1,0.5,\n\n")
    assert len(frame) == 1


def test_header_alone_is_an_empty_table(tmp_path):
    assert _read(tmp_path, HEADER).empty


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "a,real,s,test,1,,\nb,maybe,s,test,1,,\n",
            r"label 'maybe' is unknown.*line 3",
        ),
        (
            "a,real,s,dev,1,,\n",
            r"split 'dev' is unknown; expected train or val or test",
        ),
        (
            "a,real,s,test,1,,\na,fake,s,test,1,,\n",
            r"'a' occurs more than once.*lines 2, 3",
        ),
        ("a,real,s,test,x,,\n", r"line 2: logit 'x' is not a number"),
        ("a,real,s,test,nan,,\n", r"line 2: logit is 'nan'; expected a finite number"),
        ("a,real,s,test,,inf,\n", r"line 2: score is 'inf'"),
        ("a,real,s,test,inf,,why\n", r"logit is beyond 1e\+30 \(line 2\)"),
        ("a,real,s,test,-1e200,,\n", r"logit is beyond 1e\+30 \(line 2\)"),
        (",real,s,test,1,,\n", r"path is empty \(line 2\)"),
        ("a,real,s,test,,1.5,\n", r"score 1\.5 is outside 0\.\.1 \(line 2\)"),
        ("a,real,s,test,,,\n", r"1 rows have neither a score nor a reason \(line 2\)"),
        ("a,real,s\n", r"line 2: 3 fields, expected 7"),
        ('"a\nb",real,s,test,1,,\nc,real,s,test,y,,\n', r"line 4: logit 'y'"),
        ('a"b,real,s,test,1,,\n"c"d,real,s,test,y,,\n', r"line 3: not well-formed CSV"),
    ],
)
def test_bad_rows_are_named_by_line(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        _read(tmp_path, HEADER + rows)


def test_many_bad_lines_are_counted(tmp_path):
    rows = "".join(f"{i},real,s,dev,1,,\n" for i in range(9))
    with pytest.raises(InputError, match="lines 2, 3, 4, 5, 6 and 4 more"):
        _read(tmp_path, HEADER + rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; expected predictions"),
        ("path,label,source,logit\n", "columns split missing"),
        ("path,label,source,split\n", "columns logit or score missing"),
    ],
)
def test_missing_columns_are_named(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        _read(tmp_path, text)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        predictions.read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        predictions.read(tmp_path)


def test_a_model_that_gives_nan_is_refused():
    frame = make_predictions(n=10)
    frame.loc[[1, 4], "logit"] = np.nan
    with pytest.raises(InputError, match=r"of test: 2 rows have neither.*lines 2, 5"):
        predictions.check(frame, "predictions of test")
    with pytest.raises(InputError, match="columns split missing"):
        predictions.check(frame.drop(columns="split"), "x")


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "p.csv"
    path.write_text("old")
    monkeypatch.setattr("os.fsync", _full)
    with pytest.raises(OSError, match="No space left"):
        predictions.write(make_predictions(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _full(*_):
    raise OSError(28, "No space left on device")
