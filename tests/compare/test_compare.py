"""Detectors side by side: on the rows all share, whoever wrote them."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from detector_files import make_run, scored, write_csv

from kerasfaces import metrics
from kerasfaces.cli import compare as command
from kerasfaces.compare.comparison import compare
from kerasfaces.core.errors import (
    InputError,
    KerasfacesError,
    MissingFileError,
    RunError,
)
from kerasfaces.run import predictions


def test_numbers_are_those_of_each_file(ours, theirs, asked):
    content = asked(ours, theirs)
    assert (content["n"], content["n_known"]) == (120, 120)
    for name, frame in (
        ("ours", predictions.read(ours / "predictions_test.csv")),
        ("theirs", scored("test", 1.0, seed=1)),
    ):
        found = content["detectors"][name]["metrics"]["all"]["auc"]
        expected = metrics.auc(frame["label"], frame["logit"])
        assert found["value"] == pytest.approx(expected)
        assert found["low"] < expected < found["high"]


def test_the_frozen_threshold_stays_and_a_foreign_one_comes_from_its_validation(
    ours, theirs, asked
):
    content = asked(ours, theirs)
    frozen = json.loads((ours / "operating_point.json").read_text())
    assert content["detectors"]["ours"]["point"] == frozen
    point = content["detectors"]["theirs"]["point"]
    assert point["chosen_on"] == {"split": "val", "n_real": 60, "n_fake": 60}
    assert "its own 120 validation" in content["detectors"]["theirs"]["threshold"]


def test_test_rows_never_move_a_threshold(tmp_path, ours, asked):
    points = []
    for seed in (1, 2):  # other test rows, the same validation
        frame = pd.concat([scored("val", seed=1), scored("test", seed=seed)])
        path = write_csv(tmp_path / f"theirs{seed}.csv", frame)
        points.append(asked(ours, path)["detectors"][path.stem]["point"])
    assert points[0] == points[1]


def test_without_validation_there_is_no_threshold_and_it_says_so(tmp_path, ours, asked):
    path = write_csv(tmp_path / "bare.csv", scored("test", seed=1), "logit")
    found = asked(ours, path)["detectors"]["bare"]
    assert found["threshold"] == "no threshold: it has no validation predictions"
    assert found["metrics"]["all"]["auc"]["value"] is not None
    assert found["metrics"]["all"]["balanced_accuracy"]["value"] is None
    assert "no threshold" in found["metrics"]["all"]["tpr_at_fpr_1pct"]["method"]


def test_a_validation_of_one_class_is_no_threshold(tmp_path, ours, asked):
    val = scored("val", seed=1)
    frame = pd.concat([val[val["label"] == "real"], scored("test", seed=1)])
    found = asked(ours, write_csv(tmp_path / "odd.csv", frame))["detectors"]["odd"]
    assert found["threshold"].startswith("no threshold: its validation has only one")


def test_missing_repeated_and_nan_rows_are_counted_and_left_out(
    tmp_path, ours, theirs, asked
):
    frame = pd.read_csv(theirs)
    test = frame.index[frame["split"] == "test"]
    frame.loc[test[:3], "score"] = np.nan
    frame = pd.concat([frame.drop(test[3:8]), frame.loc[test[20:24]]])
    path = tmp_path / "odd.csv"
    frame.to_csv(path, index=False)
    content = asked(ours, theirs, path)
    found = content["detectors"]["odd"]
    counts = [found[key] for key in ("n", "n_missing", "n_unscored", "n_repeated")]
    assert counts == [115, 5, 3, 4]
    assert content["n"] == 112
    assert any("no row" in each for each in found["examples"])
    assert any("no finite score" in each for each in found["examples"])
    assert len(found["notes"]) == 3
    kept = predictions.read(ours / "predictions_test.csv").iloc[8:]
    expected = metrics.auc(kept["label"], kept["logit"])
    value = content["detectors"]["ours"]["metrics"]["all"]["auc"]["value"]
    assert value == pytest.approx(expected)


def test_order_of_rows_does_not_matter(tmp_path, ours, theirs, asked):
    frame = pd.read_csv(theirs).sample(frac=1, random_state=0)
    (tmp_path / "other").mkdir()
    path = tmp_path / "other" / "theirs.csv"
    frame.to_csv(path, index=False)
    first, second = asked(ours, theirs), asked(ours, path)
    for content in (first, second):
        content["detectors"]["theirs"].pop("path")
        content["detectors"]["theirs"].pop("files")
    assert first == second


def test_differences_are_paired_and_corrected(ours, theirs, tmp_path, asked):
    third = make_run(tmp_path / "third", shift=0.5, seed=3)
    content = asked(ours, theirs, third)
    assert content["reference"] == "ours"
    assert "flattered" in content["reference_rule"]
    for name in ("theirs", "third"):
        found = content["detectors"][name]["differences"]["all"]["auc"]
        own, best = (
            content["detectors"][each]["metrics"]["all"]["auc"]["value"]
            for each in (name, "ours")
        )
        assert found["value"] == pytest.approx(own - best)
        assert found["low"] <= found["value"] <= found["high"]
        assert found["p"] <= found["p_holm"] <= 1
    assert content["detectors"]["ours"]["differences"] == {}
    assert {"source=gan", "source=diffusion"} <= set(
        content["detectors"]["theirs"]["differences"]
    )


def test_against_names_the_other_side(ours, theirs, asked):
    content = asked(ours, theirs, against="theirs")
    assert (content["reference"], content["reference_rule"]) == ("theirs", "asked for")
    with pytest.raises(
        InputError, match=r"`against='none'` is none of.*: ours, theirs"
    ):
        asked(ours, theirs, against="none")


def test_relative_paths_meet_absolute_ones(tmp_path, theirs, asked):
    run = make_run(tmp_path / "abs")
    for split in ("val", "test"):
        frame = pd.read_csv(run / f"predictions_{split}.csv")
        frame["path"] = "/data/photos/" + frame["path"]
        frame.to_csv(run / f"predictions_{split}.csv", index=False)
    content = asked(run, theirs)
    assert content["n"] == 120
    assert content["notes"] == [
        "theirs: its relative paths are read below /data/photos."
    ]


def test_root_says_what_relative_paths_are_relative_to(tmp_path, theirs, asked):
    frame = scored("test", seed=2)
    frame["path"] = "/data/" + frame["path"]
    path = write_csv(tmp_path / "abs.csv", frame)
    root = tmp_path.__class__("/data")
    assert asked(path, theirs, root=root)["n"] == 120


def test_an_evaluation_folder_keeps_its_runs_threshold(ours, theirs, asked):
    folder = ours / "evaluations" / "abc-test"
    folder.mkdir(parents=True)
    (folder / "predictions_test.csv").write_bytes(
        (ours / "predictions_test.csv").read_bytes()
    )
    found = asked(folder, theirs)["detectors"]["ours/abc-test"]
    assert found["point"] == json.loads((ours / "operating_point.json").read_text())
    assert not any("Not a result" in note for note in found["notes"])
    (folder / "metrics.json").write_text('{"seen": 7}')
    notes = asked(folder, theirs)["detectors"]["ours/abc-test"]["notes"]
    assert "Not a result: it was trained or validated on 7 of its images." in notes


def test_names_are_made_unique_or_given(tmp_path, ours, asked):
    (tmp_path / "b").mkdir()
    other = make_run(tmp_path / "b" / "ours", seed=2)
    assert set(asked(ours, other)["detectors"]) == {f"{tmp_path.name}/ours", "b/ours"}
    assert set(asked(f"x={ours}", f"y={other}")["detectors"]) == {"x", "y"}
    with pytest.raises(InputError, match="given twice"):
        asked(ours, ours)


def test_validation_inside_the_compared_split_is_refused(tmp_path, ours, theirs, asked):
    frame = predictions.read(ours / "predictions_test.csv").assign(split="val")
    predictions.write(frame, ours / "predictions_val.csv")
    with pytest.raises(InputError, match="judged on"):
        asked(ours, theirs, tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (
            lambda folder: None,
            MissingFileError,
            "does not exist; expected a run folder",
        ),
        (
            lambda folder: folder.mkdir(),
            MissingFileError,
            "is not a finished run .*it is empty",
        ),
        (
            lambda folder: make_run(folder / "seed-0"),
            MissingFileError,
            "holds repeated runs: give one of them",
        ),
        (
            lambda folder: (make_run(folder) / "predictions_test.csv").unlink(),
            MissingFileError,
            "has no predictions of test; it holds predictions_val.csv",
        ),
        (
            lambda folder: (make_run(folder) / "operating_point.json").write_text("{"),
            RunError,
            "not valid JSON",
        ),
    ],
)
def test_folders_that_are_no_run(tmp_path, theirs, make, error, match, asked):
    make(tmp_path / "odd")
    with pytest.raises(error, match=match):
        asked(tmp_path / "odd", theirs)


def test_no_row_of_the_split(tmp_path, ours, asked):
    path = write_csv(tmp_path / "odd.csv", scored("val", seed=1))
    with pytest.raises(InputError, match=r"no row has split 'test'.*got splits: val"):
        asked(ours, path)


def test_one_is_not_enough(ours, asked):
    with pytest.raises(InputError, match="at least two detectors, got 1"):
        asked(ours)


def test_the_command_prints_and_writes(tmp_path, ours, theirs, capsys):
    folder = tmp_path / "table"
    arguments = [str(ours), str(theirs), "-o", str(folder)]
    assert command.main([*arguments, "--resamples", "100"]) == 0
    told = capsys.readouterr().out
    assert "120 images that all 2 detectors scored, 60 real and 60 fake" in told
    assert re.search(r"ours +0\.\d{3} +0\.\d{3} +0\.\d{3} +0\.\d{3}", told)
    assert all(len(line) <= 90 for line in told.splitlines()[:30])
    assert json.loads((folder / "compare.json").read_text())["reference"] == "ours"
    page = (folder / "report.html").read_text()
    assert page.count("<svg") >= 3
    assert "http" not in page.replace("http://www.w3.org", "")
    assert command.main([*arguments, "--resamples", "100"]) == 0  # again is fine


def test_the_rest_of_the_table_completes_and_names_the_broken(
    tmp_path, ours, theirs, capsys
):
    bad = tmp_path / "<b>bad.csv"
    bad.write_text("path,label,source,split,score\na,ai,s,test,0.5\n")
    folder = tmp_path / "table"
    with pytest.raises(InputError, match=r"1 of 3 not compared: .*label 'ai'"):
        command.main([*map(str, (ours, bad, theirs)), "-o", str(folder)])
    assert "not compared" in capsys.readouterr().out
    page = (folder / "report.html").read_text()
    assert "Not compared" in page
    assert "<b>bad" not in page


def test_a_reason_is_said_once(tmp_path, caplog):
    first, second = tmp_path / "none", tmp_path / "none2"
    with pytest.raises(KerasfacesError, match=f"{first} ") as raised:
        compare([str(first), str(second)])
    assert str(raised.value) not in caplog.text
    assert caplog.text.count(f"not compared: {second} ") == 1


def test_a_folder_of_something_else_is_left_alone(tmp_path, ours, theirs):
    folder = tmp_path / "table"
    arguments = [str(ours), str(theirs), "--resamples", "100"]
    with pytest.raises(RunError, match=r"not empty and holds no comparison"):
        command.main([*arguments, "-o", str(ours)])
    command.main([*arguments, "-o", str(folder)])
    with pytest.raises(RunError, match=r"holds another comparison.*reference"):
        command.main([*arguments, "-o", str(folder), "--against", "theirs"])
    with pytest.raises(InputError, match="--resamples: expected at least 100"):
        command.main([*arguments[:-1], "7"])
