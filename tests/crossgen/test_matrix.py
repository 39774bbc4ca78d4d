"""The whole matrix on a made-up training: cells, files, failures, resuming."""

import csv
import dataclasses
import json
import math

import pytest

import kerasfaces as kf
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.crossgen import plan, table
from kerasfaces.crossgen.comparisons import OWN, Comparison
from kerasfaces.crossgen.run import crossgen
from kerasfaces.evaluate.names import HEADLINES
from kerasfaces.run.folder import MatrixRun


@pytest.fixture
def ask(make_manifest, config, tmp_path, trained):
    def make(generators=None, **changes):
        manifest = make_manifest(generators) if generators else make_manifest()
        given = {"repeat": 1, "folder": tmp_path / "matrix", **changes}
        return plan.MatrixSettings(
            config=config, manifest=manifest, weights="none", **given
        )

    return make


def content_of(folder):
    return json.loads((folder / "crossgen.json").read_text(encoding="utf-8"))


def test_the_matrix_its_files_and_a_second_call(ask, trained):
    folder = crossgen(ask(repeat=2))
    content = content_of(folder)
    assert len(trained) == 7 * 2
    assert len(content["cells"]) == 9 + 3 + 3
    for cell in content["cells"]:
        assert cell["status"] == "run"
        assert set(cell["metrics"]) == set(HEADLINES)
        auc = cell["metrics"]["auc"]
        assert auc["low"] < auc["value"] < auc["high"]
        assert len(auc["values"]) == 2
        seen = cell["test"] in cell["trained_on"]
        assert (auc["value"] > 0.8) == seen, cell
    assert content["worst"]["test"] not in content["worst"]["trained_on"]
    text = (folder / "crossgen.csv").read_text(encoding="utf-8")
    lines = list(csv.DictReader(text.splitlines()))
    assert len(lines) == 15 * len(HEADLINES)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Worst cell: trained on" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert crossgen(ask(repeat=2)) == folder
    assert len(trained) == 14


def test_cells_are_those_of_the_runs_own_metrics(ask):
    folder = crossgen(ask())
    cell = content_of(folder)["cells"][1]
    run = json.loads(
        (folder / "runs" / cell["train"] / "seed-0" / "metrics.json").read_text()
    )
    own = run["metrics"]["test"][f"source={cell['test']}"]["auc"]
    assert cell["metrics"]["auc"]["value"] == own["value"]
    assert cell["metrics"]["auc"]["low"] == own["low"]
    assert cell["metrics"]["auc"]["sd"] is None


def test_no_image_of_training_is_tested_on(ask, trained):
    crossgen(ask())
    for request in trained:
        rows = request.manifest.rows
        sides = rows.groupby("sha256")["split"].nunique()
        assert (sides == 1).all()
        val = rows[(rows["split"] == "val") & (rows["label"] == "fake")]
        train = rows[(rows["split"] == "train") & (rows["label"] == "fake")]
        assert set(val["source"]) <= set(train["source"])


def test_single_against_all_is_tested(ask):
    found = content_of(crossgen(ask()))["compared"]
    by = {(each["other"], each["on"]): each for each in found}
    assert len(by) == 9
    others = by["gan", "the other generators"]
    assert others["tested"] == ["dream", "gan2"]
    assert others["verdict"] == "better"
    assert others["low"] > 0
    unseen = by["all but dream", "the generator left out"]
    assert unseen["value"] > 0.3
    assert by["gan", "its own generator"]["verdict"] == "no difference shown"


def test_an_interval_that_ends_at_one_fits_its_cell():
    auc = {"value": 1.0, "sd": None, "low": 0.722, "high": 1.0}
    cell = {"table": plan.MATRIX, "train": "gan", "test": "gan", "status": "run"}
    empty = {"seeds": [0], "worst": None, "compared": [], "balance": "", "failed": {}}
    content = {**empty, "cells": [{**cell, "metrics": {"auc": auc}}]}
    assert "1.000 [.72,1.00]" in table.text(content)


def test_without_a_p_value_nothing_was_tested():
    line = Comparison(
        other="gan",
        on=OWN,
        tested=("gan",),
        value=0.3,
        low=math.nan,
        high=math.nan,
        method="no interval",
        sd=0.0,
        values=(0.3,),
        n=4,
        p_value=math.nan,
    )
    assert line.verdict == "not tested"
    assert dataclasses.replace(line, p_holm=0.2).verdict == "no difference shown"
    assert dataclasses.replace(line, p_holm=0.01).verdict == "better"


def test_few_images_and_a_failure_are_named_the_rest_completes(
    ask, trained, monkeypatch, caplog
):
    from kerasfaces.train import run as training

    train = training.train

    def breaks(request, preparations=None):
        if "gan2" in str(request.folder.parent.name) and request.config.seed == 0:
            raise ZeroDivisionError("half-way")
        return train(request, preparations)

    monkeypatch.setattr(training, "train", breaks)
    asked = ask({"dream": 90, "gan": 120, "gan2": 90, "tiny": 3})
    folder = crossgen(asked)
    content = content_of(folder)
    status = {
        (each["train"], each["test"]): each["status"] for each in content["cells"]
    }
    assert status["tiny", "tiny"] == "not run: 3 images"
    assert status["gan2", "gan"].startswith("failed: seed 0: ZeroDivisionError")
    assert status["gan", "gan2"] == status["all", "gan2"] == "run"
    assert set(content["failed"]) == {"gan2", "all-but-gan2"}
    assert "the rest goes on" in caplog.text
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "tiny was not run: 3 images" in page
    assert "failed: seed 0" in page
    assert "not run: 3 images" in table.text(content)
    assert not MatrixRun(folder).is_finished
    monkeypatch.setattr(training, "train", train)
    before = len(trained)
    crossgen(asked)
    assert len(trained) == before + 2  # the two that failed
    assert MatrixRun(folder).is_finished


def test_when_nothing_can_be_trained_it_is_an_error(ask, monkeypatch):
    from kerasfaces.train import run as training

    def refuse(request, preparations=None):
        raise InputError("no such layer.")

    monkeypatch.setattr(training, "train", refuse)
    with pytest.raises(InputError, match=r"Nothing could be trained.*no such layer"):
        crossgen(ask())


def test_a_pairing_tests_self_and_foreign(ask, trained):
    pairings = plan.parse(["gan,gan2"], ["dream"])
    content = content_of(crossgen(ask(pairings=pairings)))
    assert len(trained) == 1
    auc = {cell["test"]: cell["metrics"]["auc"]["value"] for cell in content["cells"]}
    assert list(auc) == ["gan+gan2", "dream", "gan", "gan2"]
    assert auc["gan+gan2"] > 0.9 > auc["dream"]
    assert content["compared"] == []


def test_keeping_everything_says_so(ask, trained):
    content = content_of(crossgen(ask(keep_all=True)))
    sizes = {each["name"]: each["n_fake"] for each in content["training_sets"]}
    assert sizes["gan"] > sizes["dream"]
    assert sizes["all"] == sizes["gan"] + sizes["dream"] + sizes["gan2"]
    assert any("different size" in text for text in content["warnings"])


def test_a_size_too_large_for_one_generator_names_it(ask):
    content = content_of(crossgen(ask(size=70)))
    status = {each["name"]: each["status"] for each in content["training_sets"]}
    assert status["dream"].startswith("not run: 6")
    assert status["gan"] == status["all"] == "run"
    taken = {each["name"]: each["n_fake"] for each in content["training_sets"]}
    assert taken["gan"] == taken["gan2"] == taken["all"] == 70


def test_one_generator_alone(ask):
    content = content_of(crossgen(ask({"gan": 60})))
    assert len(content["cells"]) == 1
    assert content["compared"] == []
    needs_two = "A generator it has never seen: this needs at least two generators."
    assert needs_two in table.text(content)
    pairings = plan.parse(["gan"], ["dream"])
    asked = ask(pairings=pairings, folder=ask().folder.with_name("pairing"))
    assert needs_two not in table.text(content_of(crossgen(asked)))


def test_another_request_in_the_folder_is_refused(ask, tmp_path):
    crossgen(ask())
    with pytest.raises(RunError, match=r"another generator matrix \(repeat: 1 -> 2\)"):
        crossgen(ask(repeat=2))
    other = tmp_path / "mine"
    other.mkdir()
    (other / "file").write_text("mine")
    with pytest.raises(RunError, match="holds no generator matrix"):
        crossgen(ask(folder=other))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repeat": 0}, "`repeat`: expected at least 1, got 0"),
        ({"at_least": 1}, "`at_least`: expected at least 3, got 1"),
        ({"at_least": float("nan")}, "`at_least`: expected at least 3, got nan"),
        ({"repeat": float("nan")}, "`repeat`: expected at least 1, got nan"),
        ({"size": float("nan")}, "`size`: expected at least 2, got nan"),
        ({"size": 20, "keep_all": True}, "exclude each other"),
        ({"size": 0}, "`size`: expected at least 2, got 0"),
        ({"size": 1}, "`size`: expected at least 2, got 1"),
        (
            {"size": 100000},
            "`size`: expected at most 450, got 100,000: .* Leave it out",
        ),
    ],
)
def test_mistakes(ask, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        crossgen(ask(**changes))
    assert not (tmp_path / "matrix").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("size", math.nan), ("repeat", "3"), ("repeat", 1.5), ("keep_all", "no")],
)
def test_a_number_of_another_type_is_refused(make_manifest, tmp_path, name, value):
    data = kf.Manifest(make_manifest())
    options = {"weights": "none", "output": tmp_path / "matrix", name: value}
    with pytest.raises(InputError, match=f"{name}: expected (int|bool)"):
        kf.cross_generators(data, **options)


def test_the_balance_is_what_was_drawn(ask, make_manifest):
    equal = content_of(crossgen(ask()))["balance"]
    assert "and as many reals, in equal shares of their sources" in equal
    assert equal.endswith("`keep_all=True` takes everything, `size=N` another number.")
    few = dataclasses.replace(
        ask(folder=ask().folder.with_name("few")),
        manifest=make_manifest(cameras={"camera": 60, "phone": 10}),
    )
    content = content_of(crossgen(few))
    reals = {each["n_real"] for each in content["training_sets"]}
    assert len(reals) == 1
    assert max(reals) < content["size"]["train"]
    assert f"and {max(reals)} reals, as there are no more" in content["balance"]
    assert "shares as equal as there are images of their sources" in content["balance"]


def test_sets_of_different_size_are_not_called_as_many_images(ask):
    folder = crossgen(ask(keep_all=True))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "trained on all, more images" in page
    assert "as many images" not in page


def test_unreadable_images_are_counted_on_the_page(ask, trained, monkeypatch):
    from kerasfaces.evaluate import run as evaluation

    finish = evaluation.finish

    def some_missing(folder, frames, **options):
        if folder.parent.name == "gan":
            test = frames["test"]
            test.loc[test.index[:3], ["logit", "reason"]] = math.nan, "truncated"
        return finish(folder, frames, **options)

    monkeypatch.setattr(evaluation, "finish", some_missing)
    said = content_of(crossgen(ask()))["warnings"]
    assert len(said) == 1
    assert said[0].endswith("at most): gan 3.")
