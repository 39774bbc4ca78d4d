"""The command on a small detector: what it writes, refuses, resumes and exits with."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import kerasfaces as kf
from kerasfaces.cli import launder as command
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import read_json
from kerasfaces.images.launderings import LAUNDERINGS
from kerasfaces.run import predictions
from kerasfaces.run.predictor import Predictor

ONLY = ["--only", "jpeg:70,blur:2.5,noise:12", "--at-least", "4"]


@pytest.fixture
def call(run, tmp_path, capsys):
    """Return a function that runs `kerasfaces launder RUN -o out ...`: code, stdout."""

    def call(*words):
        arguments = [run, "-o", tmp_path / "out", *words]
        code = command.main([str(word) for word in arguments])
        return code, capsys.readouterr().out

    return call


@pytest.fixture
def no_scoring(monkeypatch):
    def refuse(self, arrays):
        raise AssertionError("scored again")

    return lambda: monkeypatch.setattr(Predictor, "array_logits", refuse)


def test_what_is_written(call, run, tmp_path, no_scoring):
    code, out = call(*ONLY)
    assert code == 0
    assert "Worst cell: " in out
    content = read_json(tmp_path / "out" / "launder.json")
    assert content["images"] == {
        "n": 32,
        "n_real": 16,
        "n_fake": 16,
        "n_unreadable": 0,
    }
    assert {each["generator"] for each in content["cells"]} == {
        "all",
        "gan",
        "diffusion",
    }
    assert len(content["cells"]) == 3 * 4
    assert content["lost"] == []
    lines = pd.read_csv(tmp_path / "out" / "launder.csv")
    one = lines.query("generator == 'gan' and laundering == 'blur' and metric == 'auc'")
    cell = next(
        each
        for each in content["cells"]
        if (each["generator"], each["laundering"]) == ("gan", "blur")
    )
    assert one["value"].item() == cell["metrics"]["auc"]["value"]
    images = pd.read_csv(tmp_path / "out" / "laundered.csv")
    own = predictions.read(run / "predictions_test.csv")
    assert images["path"].tolist() == own["path"].tolist()
    assert images["untouched"].to_numpy() == pytest.approx(own["logit"], abs=1e-3)
    assert np.isfinite(images[["jpeg 70", "blur 2.5", "noise 12"]]).all(axis=None)
    page = (tmp_path / "out" / "report.html").read_text()
    assert not re.search(r"(?:src|href)=\"http|<script", page)
    assert "Bias index" in page
    no_scoring()  # finished: nothing is done again
    assert call(*ONLY) == (code, out)


def test_a_limit_decides_on_the_exit_code_and_another_matrix_is_refused(
    call, no_scoring
):
    call(*ONLY)
    no_scoring()
    code, out = call(*ONLY, "--fail-under", "1")
    assert code == command.BELOW == 3
    assert re.search(r"FAILED: below 1: \d+ of 12 cells; worst: \w+, ", out)
    code, out = call(*ONLY, "--fail-under", "0.01")
    assert code == 0
    assert "passed: 12 cells have an AUC of 0.01 or more" in out
    with pytest.raises(InputError, match="fail_under is 80; expected an AUC"):
        call(*ONLY, "--fail-under", "80")
    with pytest.raises(RunError, match="holds another laundering matrix"):
        call("--only", "jpeg:60", "--at-least", "4")


def test_killed_at_any_batch_the_result_is_the_same(call, tmp_path, monkeypatch):
    call(*ONLY)
    whole = (tmp_path / "out" / "laundered.csv").read_bytes()
    numbers = (tmp_path / "out" / "launder.csv").read_bytes()
    (tmp_path / "out").rename(tmp_path / "whole")
    logits = Predictor.array_logits
    n_batches = []

    def dying(self, arrays):
        n_batches.append(1)
        if len(n_batches) == 2:
            raise KeyboardInterrupt
        return logits(self, arrays)

    monkeypatch.setattr(Predictor, "array_logits", dying)
    with pytest.raises(KeyboardInterrupt):
        call(*ONLY)
    call(*ONLY)
    assert (tmp_path / "out" / "laundered.csv").read_bytes() == whole
    assert (tmp_path / "out" / "launder.csv").read_bytes() == numbers


def test_other_images_and_those_that_cannot_be_read(
    call, run, tmp_path, tiny_images, caplog
):
    rows = ["path,label,source"]
    for label, source in (("real", "camera"), ("fake", "gan")):
        for number in range(20, 36):
            path = tiny_images / label / source / f"{number:02d}.png"
            rows.append(f"{path},{label},{source}")
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    rows += [f"{tmp_path / 'bad.jpg'},fake,gan", "gone.jpg,real,camera"]
    csv = tmp_path / "other.csv"
    csv.write_text("\n".join(rows) + "\n")
    _, out = call(*ONLY, "--manifest", csv)
    assert "2 images could not be read and are in no number" in out
    content = read_json(tmp_path / "out" / "launder.json")
    assert content["images"]["n_unreadable"] == 2
    assert sum(content["unreadable"].values()) == 2
    assert "file not found" in content["unreadable"]
    assert {each["generator"] for each in content["cells"]} == {"gan"}
    assert {each["n_fake"] for each in content["cells"]} == {16}
    csv.write_text("\n".join(["path,label,source", *rows[-2:]]) + "\n")
    with pytest.raises(InputError, match="None of the 2 images has a logit"):
        call("--manifest", csv, "-o", tmp_path / "none")


def test_images_that_were_trained_on_are_refused(call, run):
    rows = pd.read_csv(run / "manifest.csv", dtype=str, keep_default_na=False)
    rows[rows["split"] != "test"].assign(split="test").to_csv(run / "seen.csv")
    with pytest.raises(InputError, match="trained or validated on 40 of these 40"):
        call("--manifest", run / "seen.csv")
    with pytest.raises(InputError, match="trained or validated on 28 of these 28"):
        call("--split", "train")


def test_versions_too_small_to_judge_are_counted(call, run, tmp_path, tiny_images):
    rows = ["path,label,source"]
    for label in ("real", "fake"):
        for number in range(6):
            path = tmp_path / f"{label}{number}.png"
            image = Image.open(
                tiny_images / label / ("camera", "gan")[label == "fake"] / "30.png"
            )
            image.rotate(90 * number).resize((20 + number, 20 + number)).save(path)
            rows.append(f"{path},{label},{label}s")
    csv = tmp_path / "small.csv"
    csv.write_text("\n".join(rows) + "\n")
    words = ["--only", "resize:0.35", "--at-least", "4", "--manifest", csv]
    code, out = call(*words, "--fail-under", "0.001")
    assert code == 0
    assert "not judged: 1 cells, whose pictures are too small" in out
    content = read_json(tmp_path / "out" / "launder.json")
    assert sum(each["n"] for each in content["lost"]) == 12
    assert all("too small to judge" in each["reason"] for each in content["lost"])
    cell = next(each for each in content["cells"] if each["laundering"])
    assert cell["status"].startswith("no verdict")
    assert cell["n_lost"] == 12
    assert content["worst"]["laundering"] == ""


def test_mistakes(call, run, tmp_path):
    with pytest.raises(InputError, match=r"16 readable real images.*at least 17"):
        call("--only", "jpeg:70", "--at-least", "17")
    with pytest.raises(InputError, match="no laundering named 'jpg'"):
        call("--only", "jpg")


def test_the_list(capsys):
    assert command.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(LAUNDERINGS)
    assert "quality, %: 90, 70, 50, 30" in lines[0]


def test_the_library(run, tmp_path):
    detector = kf.load_run(run)
    result = detector.launder(
        launderings=["jpeg:70", "blur"], at_least=4, output=tmp_path / "lib"
    )
    assert result.worst["metrics"]["auc"]["value"] == min(
        result.matrix().drop(columns="all").min()
    )
    assert list(result.matrix().columns) == ["all", "gan", "diffusion"]
    assert result.matrix().index[:2].tolist() == ["untouched", "jpeg 70"]
    assert result.matrix("bias_index").notna().all(axis=1).sum() == 5
    with pytest.raises(InputError, match="there is no 'roc'; there are auc, "):
        result.matrix("roc")
    assert len(result.below(1.0)) >= 1
    assert result.plot().figure.get_size_inches()[0] > 1
    assert "AUC after laundering" in repr(result)
    assert "<svg" in result._repr_html_()
    assert len(result.images) == 32
    default = detector.launder(launderings=["jpeg:70"], at_least=4)
    assert default.folder.parent == run / "launderings"
    assert json.loads((default.folder / "launder.json").read_text())["worst"]
