"""A run's measuring end, and the command."""

import json
import subprocess
import sys
import types

import numpy as np
import pandas as pd
import pytest
from fake_predictions import make_predictions

from kerasfaces import manifest as manifests
from kerasfaces.cli.evaluate import main
from kerasfaces.core import files, folders
from kerasfaces.core.errors import (
    InputError,
    KerasfacesError,
    LockedError,
    MissingFileError,
    RunError,
)
from kerasfaces.core.files import read_json
from kerasfaces.evaluate import seen_images
from kerasfaces.evaluate.other_images import evaluate_manifest
from kerasfaces.evaluate.run import evaluate_run, finish
from kerasfaces.run import predictions

FILES = (
    "predictions_train.csv",
    "predictions_val.csv",
    "predictions_test.csv",
    "operating_point.json",
    "metrics.json",
    "metrics.csv",
    "report.html",
)


def _finish(folder, frames, **options):
    return finish(folder, frames, config={}, environment={}, bootstrap=20, **options)


def test_finish_writes_every_file_and_returns_the_metrics(finished):
    folder, metrics = finished
    assert {*FILES} <= {path.name for path in folder.iterdir()}
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    assert list(metrics["metrics"]) == ["train", "val", "test"]
    page = (folder / "report.html").read_text()
    assert "The weights are a stand-in." in page
    assert "2 of 80 images in test could not be read" in page
    assert "test has only 39 real images" in page


def test_scores_are_the_calibrated_logits(finished):
    folder, _ = finished
    frame = predictions.read(folder / "predictions_test.csv")
    point = json.loads((folder / "operating_point.json").read_text())
    a, b = point["calibrator"]["a"], point["calibrator"]["b"]
    expected = 1 / (1 + np.exp(-(a * frame["logit"] + b)))
    assert frame["score"].to_numpy() == pytest.approx(expected.to_numpy(), nan_ok=True)
    assert frame["score"].isna().sum() == 2


def test_test_rows_cannot_move_the_threshold(tmp_path, frames):
    _finish(tmp_path / "a", frames)
    frames["test"]["logit"] = -frames["test"]["logit"] * 3
    _finish(tmp_path / "b", frames)
    first, second = ((tmp_path / x / "operating_point.json").read_text() for x in "ab")
    assert first == second


def test_measuring_again_gives_the_same_numbers(finished):
    folder, metrics = finished
    again = evaluate_run(folder)
    assert again["metrics"] == metrics["metrics"]
    assert again["warnings"] == metrics["warnings"]
    assert "The weights are a stand-in." in (folder / "report.html").read_text()


@pytest.mark.parametrize("damage", ["empty", "absent"])
def test_a_run_without_epochs_is_measured_too(finished, damage):
    path = finished[0] / "history.csv"
    path.unlink() if damage == "absent" else path.write_text("\n")
    evaluate_run(finished[0])
    assert "no training history" in (finished[0] / "report.html").read_text()


def test_audit_is_kept_and_warned_of(tmp_path, frames):
    audit = {"auc": 0.8, "low": 0.7, "high": 0.9, "n": 10, "flagged": True}
    _finish(tmp_path / "r", frames, audit=audit)
    assert read_json(tmp_path / "r" / "audit.json") == audit
    evaluate_run(tmp_path / "r")
    assert (
        "The files give the classes away"
        in (tmp_path / "r" / "report.html").read_text()
    )


def test_without_validation_there_is_no_threshold(tmp_path, frames):
    with pytest.raises(InputError, match=r"needs predictions of val.*got test"):
        _finish(tmp_path, {"test": frames["test"]})


def test_validation_alone_is_reported_as_such(tmp_path, frames):
    _finish(tmp_path, {"val": frames["val"]})
    assert "There is no test split" in (tmp_path / "report.html").read_text()


def test_foreign_scores_without_logits_finish_too(tmp_path, frames):
    for split in frames:
        logit = frames[split]["logit"]
        frames[split] = frames[split].assign(
            score=1 / (1 + np.exp(-logit)), logit=np.nan
        )
    metrics = _finish(tmp_path, frames)
    assert 0.7 < metrics["metrics"]["test"]["all"]["auc"]["value"] < 1


def test_hostile_paths_survive_the_whole_way(tmp_path, frames):
    evil = '<script>\r\nalert(1)</script> \udcff,".png'
    frames["test"].loc[1, "path"] = evil
    names = ["x=\udcff\n<b>"] * 80
    frames["test"]["attr_gender"] = pd.Series(names, dtype=object)
    _finish(tmp_path / "r", frames)
    evaluate_run(tmp_path / "r")
    assert predictions.read(tmp_path / "r" / "predictions_test.csv")["path"][1] == evil
    assert "<script" not in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")


def test_a_run_being_written_is_left_alone(finished):
    folder, _ = finished
    with folders.lock(folder), pytest.raises(LockedError, match="another process"):
        evaluate_run(folder)


@pytest.mark.parametrize("name", ["metrics.json", "report.html", "metrics.csv"])
def test_a_full_disk_keeps_the_old_files(finished, monkeypatch, name):
    folder, _ = finished
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    real = files.atomic_path

    def fail(path):
        if path.name == name:
            raise OSError(28, "No space left on device", str(path))
        return real(path)

    monkeypatch.setattr(files, "atomic_path", fail)
    with pytest.raises(OSError, match="No space left"):
        evaluate_run(folder)
    assert (folder / name).read_bytes() == before[name]
    assert (folder / "predictions_test.csv").read_bytes() == before[
        "predictions_test.csv"
    ]


class TestManifest:
    @pytest.fixture
    def other(self, tmp_path, monkeypatch):
        """A manifest of other images, and a model that needs no framework."""
        rows = make_predictions("test", 30, seed=5)
        path = tmp_path / "other.csv"
        columns = ["path", "label", "source", "split"]
        rows[columns].assign(split="").to_csv(path, index=False)

        def predict_run(folder, manifest, store=None):
            return rows[rows["path"].isin(manifest.rows["path"])]

        fake = types.ModuleType("kerasfaces.run.predictor")
        fake.predict_run = predict_run
        monkeypatch.setitem(sys.modules, "kerasfaces.run.predictor", fake)
        monkeypatch.setattr(
            "kerasfaces.evaluate.other_images.import_keras", lambda: None
        )
        return path

    def test_other_images_never_touch_the_runs_numbers(self, finished, other):
        folder, _ = finished
        before = {name: (folder / name).read_bytes() for name in FILES}
        target, metrics = evaluate_manifest(folder, other)
        assert target.parent == folder / "evaluations"
        assert metrics["metrics"]["test"]["all"]["n"] == 30
        assert {name: (folder / name).read_bytes() for name in FILES} == before
        assert "Measured on other.csv" in (target / "report.html").read_text()
        assert (target / "predictions_test.csv").is_file()
        assert (target / "metrics.csv").is_file()

    def test_others_validation_images_chose_nothing(self, finished, other):
        target, _ = evaluate_manifest(finished[0], other, "val")
        page = (target / "report.html").read_text()
        assert "which also chose threshold" not in page

    def test_absent_split_is_named(self, finished, other):
        table = pd.read_csv(other).assign(split="train")
        table.to_csv(other, index=False)
        with pytest.raises(InputError, match="no rows of split 'test'; it has: train"):
            evaluate_manifest(finished[0], other)


class TestCommand:
    def test_prints_the_table_and_the_report(self, finished, capsys):
        folder, _ = finished
        assert main([str(folder), "--samples-per-group", "10", "--by", "source"]) == 0
        printed = capsys.readouterr().out
        assert printed.startswith("test: 78 images, 39 real and 39 fake, 2 unreadable")
        assert "by source" in printed
        assert "by gender" not in printed
        assert "source, drawn" in printed
        assert printed.endswith(f"report: {folder / 'report.html'}\n")

    def test_by_a_further_column_adds_its_slices(self, finished):
        folder, metrics = finished
        again = evaluate_run(folder, by=["pair_id"])["metrics"]["test"]
        assert set(metrics["metrics"]["test"]) < set(again)

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda f: (f / "operating_point.json").unlink(), "is not a finished run"),
            (lambda f: [p.unlink() for p in f.glob("pred*")], "holds no predictions_"),
            (lambda f: (f / "metrics.json").write_text("{"), "is not valid JSON"),
            (lambda f: (f / "config.json").write_text("[]"), "holds no object"),
            (lambda f: (f / "operating_point.json").write_text("{}"), "cannot be read"),
            (lambda f: (f / "history.csv").write_text('a\n"b'), "is damaged"),
            (
                lambda f: (f / "predictions_test.csv").write_text(""),
                "is empty; expected predictions",
            ),
            (lambda f: (f / "predictions_test.csv").unlink(), "no predictions of test"),
        ],
    )
    def test_damaged_runs_end_in_a_sentence(self, finished, damage, message):
        damage(finished[0])
        with pytest.raises(KerasfacesError, match=message):
            main([str(finished[0])])

    def test_repeated_runs_point_to_one_of_them(self, finished, tmp_path):
        folder, _ = finished
        folder.rename(folder.parent / "seed-0")
        with pytest.raises(MissingFileError, match="repeated runs: give one of them"):
            evaluate_run(folder.parent)

    def test_damaged_operating_point_is_a_run_error(self, finished):
        (finished[0] / "operating_point.json").write_text('{"threshold": 1}')
        with pytest.raises(RunError, match="cannot be read"):
            evaluate_run(finished[0])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["RUN/none"], "is no folder; expected a run folder"),
            (["RUN", "--by", "attr_age"], "Cannot group by 'attr_age'"),
            (["RUN", "--samples-per-group", "0"], "must be at least 1"),
            (["RUN", "--manifest", "RUN/none.csv"], "none.csv"),
        ],
    )
    def test_mistakes_end_in_exit_code_2(self, finished, arguments, message):
        run = str(finished[0])
        done = _command(*[argument.replace("RUN", run) for argument in arguments])
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr

    def test_help_is_quick_and_has_examples(self):
        done = _command("--help")
        assert done.returncode == 0
        assert "examples:" in done.stdout
        assert "95 %" in done.stdout

    def test_measuring_imports_no_framework(self, finished):
        code = (
            "import sys; from kerasfaces.cli.evaluate import main; "
            f"main([{str(finished[0])!r}]); "
            "bad = {'keras', 'tensorflow', 'torch', 'sklearn'} & set(sys.modules); "
            "sys.exit(str(bad) if bad else 0)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


class TestSeenImages:
    def manifest(self, path, names, split):
        rows = [f"{name},real,camera,{split},{name[0] * 64}" for name in names]
        text = "\n".join(["path,label,source,split,sha256", *rows]) + "\n"
        path.write_text(text, encoding="utf-8")
        return manifests.read(path)

    def test_images_of_train_and_val_are_counted_by_content(self, tmp_path):
        run = tmp_path / "run"
        run.mkdir()
        self.manifest(run / "manifest.csv", ["a.jpg", "b.jpg"], "val")
        other = self.manifest(tmp_path / "m.csv", ["b2.jpg", "c.jpg"], "test")
        assert seen_images.mask(run, other).tolist() == [True, False]

    def test_own_test_images_are_no_result_spoiled(self, tmp_path):
        run = tmp_path / "run"
        run.mkdir()
        self.manifest(run / "manifest.csv", ["a.jpg"], "test")
        other = self.manifest(tmp_path / "m.csv", ["a.jpg"], "test")
        assert not seen_images.mask(run, other).any()


def _command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "kerasfaces.evaluate", *arguments],
        capture_output=True,
        text=True,
    )
