"""Attribution from rows and features to the run folder, and again after a kill."""

import json
import types

import numpy as np
import pandas as pd
import pytest
from detector_files import make_run
from made_up import make_features, make_images, make_rows

from kerasfaces.api.detector_analysis import AnalysedDetector
from kerasfaces.attribute import head, heads, report, table
from kerasfaces.attribute.run import Config, attribute, measured
from kerasfaces.cli import attribute as command
from kerasfaces.core.errors import InputError, MissingFileError, RunError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.run.folder import AttributionRun

QUICK = Config(resamples=100)


def attributed(folder, rows=None, **options):
    rows = make_rows() if rows is None else rows
    return measured(make_images(rows, **options), AttributionRun(folder), QUICK)


def test_known_generators_are_told_apart_and_unknown_ones_noticed(tmp_path):
    content = attributed(tmp_path)
    test = content["test"]
    assert test["forced"]["macro_f1"]["value"] > 0.85
    assert (
        test["with_unknown"]["macro_f1"]["low"]
        < test["with_unknown"]["macro_f1"]["high"]
    )
    assert test["rejected"]["value"] < 0.2
    assert [fold["generator"] for fold in content["left_out"]] == [
        "autoencoder",
        "diffusion",
        "gan",
    ]
    for fold in content["left_out"]:
        assert fold["n"] == 64
        assert sum(fold["called"].values()) == 64
        assert fold["generator"] not in fold["called"]
        assert fold["numbers"]["matrix"]["true"][-1] == "unknown"
    assert content["mean_auroc_unknown"]["value"] == pytest.approx(
        np.mean([fold["auroc"]["value"] for fold in content["left_out"]])
    )
    assert sum(each["n"] for each in test["real_sources"]) == 24


def test_a_generator_between_the_classes_is_called_unknown(tmp_path):
    rows = make_rows()
    features = make_features(rows, distance=8.0)
    gan = (rows["source"] == "gan").to_numpy()
    features[gan, :2] += 4.0  # half way to both others
    features[gan, 2] = 0.0
    content = attributed(tmp_path, rows, features=features)
    fold = content["left_out"][-1]
    assert fold["auroc"]["value"] > 0.9
    assert fold["called_unknown"]["value"] > 0.5


def test_nothing_is_learnt_from_what_is_left_out_or_from_test(tmp_path):
    rows = make_rows()
    first = attributed(tmp_path / "a", rows)
    features = make_features(rows)
    gan = (rows["source"] == "gan").to_numpy()
    test = (rows["split"] == "test").to_numpy()
    changed = features.copy()
    changed[gan | test] = 1e3
    attributed(tmp_path / "b", rows, features=changed)
    for number, same in ((1, True), (2, True), (3, True)):  # 3 leaves gan out
        one, two = (
            head.Head.load(tmp_path / name / "heads" / f"{number:03d}.npz")
            for name in "ab"
        )
        assert ("gan" in one.names) == (number != 3)
        if number == 3:
            assert np.array_equal(one.weights, two.weights) == same
    changed = features.copy()
    changed[test] = 1e3
    third = attributed(tmp_path / "c", rows, features=changed)
    assert third["open_set"] == first["open_set"]


def test_tables_have_one_row_per_manifest_row(tmp_path):
    rows = make_rows()
    reasons = [""] * len(rows)
    bad = np.flatnonzero((rows["split"] == "test").to_numpy())[0]
    reasons[bad] = "cannot be decoded"
    content = attributed(tmp_path, rows, reasons=reasons)
    frame = pd.read_csv(tmp_path / "attribution_test.csv", keep_default_na=False)
    assert len(frame) == 60
    assert list(frame.columns[:7]) == [
        *("path", "label", "source", "split", "called", "closest", "unknown_score")
    ]
    odd = frame[frame["reason"] != ""]
    assert odd["reason"].tolist() == ["cannot be decoded"]
    assert odd["called"].tolist() == [""]
    read = frame[frame["reason"] == ""]
    shares = read[[name for name in frame if name.startswith("p_")]].astype(float)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert content["n_unreadable"] == 1
    assert "cannot be decoded" in content["unreadable"][0]
    assert len(pd.read_csv(tmp_path / "attribution_val.csv")) == 60


def test_the_page_shows_the_matrix_and_names_who_has_too_few(tmp_path):
    rows = make_rows(generators=("gan", "diffusion"))
    odd = make_rows((2, 1, 0), generators=("<b>few",), reals=())
    rows = pd.concat([rows, odd]).reset_index(drop=True)
    content = attributed(tmp_path, rows)
    assert content["classes"]["few"] == ["<b>few"]
    page = report.render(content, "who")
    assert page.count("<svg") == 3
    assert "Confusion matrix, Test images" in page
    assert "too few images" in page
    assert "<b>few" not in page
    assert "http" not in page
    told = table.text(content)
    assert "too few images: 3 in all" in told
    assert max(map(len, told.split("note:")[0].splitlines())) <= 90


def test_one_generator_says_what_was_not_measured(tmp_path):
    content = attributed(tmp_path, make_rows(generators=("gan",)))
    assert content["left_out"] == []
    assert content["mean_auroc_unknown"]["value"] is None
    assert any("There is one generator" in note for note in content["notes"])
    assert "Not measured" in report.render(content, "who")
    assert "AUROC of unknown" in table.text(content)


def test_heads_that_are_done_are_not_trained_again(tmp_path, monkeypatch):
    first = attributed(tmp_path)
    (tmp_path / "heads" / "002.npz").unlink()
    calls = []
    fit = head.fit
    monkeypatch.setattr(head, "fit", lambda *a: calls.append(1) or fit(*a))
    assert attributed(tmp_path) == first
    assert len(calls) == 1


def test_a_kill_at_any_head_changes_nothing(tmp_path, monkeypatch):
    whole = attributed(tmp_path / "whole")
    fit = head.fit
    for stop in (0, 2):
        folder = tmp_path / str(stop)
        done = []

        def dying(*arguments, stop=stop, done=done):
            if len(done) == stop:
                raise KeyboardInterrupt
            done.append(1)
            return fit(*arguments)

        monkeypatch.setattr(head, "fit", dying)
        with pytest.raises(KeyboardInterrupt):
            attributed(folder)
        monkeypatch.setattr(head, "fit", fit)
        assert attributed(folder) == whole


def test_settings_are_checked():
    for l2 in (0, 1e9):
        with pytest.raises(InputError, match=r"`l2`: .* more than 0 and less than 1e6"):
            Config(l2=l2)
    with pytest.raises(InputError, match="`reject`: expected a share"):
        Config(reject=1.5)
    with pytest.raises(InputError, match="at least 100"):
        Config(resamples=5)
    with pytest.raises(InputError, match="resamples: expected at least 100, got nan"):
        Config(resamples=float("nan"))


@pytest.fixture
def detector(tmp_path, monkeypatch):
    """A stand-in for a trained run: its features are made up."""
    from kerasfaces.attribute import features

    folder = make_run(tmp_path / "detector")
    rows = make_rows()
    rows.to_csv(folder / "manifest.csv", index=False)
    write_json(folder / "config.json", {"train": {}})
    monkeypatch.setattr(features, "load", lambda run, manifest: make_images(rows))
    return folder


def test_the_command_makes_a_run_folder_once(detector, tmp_path, capsys):
    folder = tmp_path / "who"
    assert command.main([str(detector), "-o", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "AUROC of unknown" in told
    assert f"report: {folder / 'report.html'}" in told
    for name in ("config.json", "environment.json", "manifest.csv", "attribution.json"):
        assert (folder / name).exists()
    written = (folder / "report.html").stat().st_mtime_ns
    assert command.main([str(detector), "-o", str(folder)]) == 0
    assert capsys.readouterr().out == told
    assert (folder / "report.html").stat().st_mtime_ns == written
    with pytest.raises(RunError, match=r"another attribution \(attribute\.l2"):
        command.main([str(detector), "-o", str(folder), "--l2", "0.1"])


def test_files_that_give_the_classes_away_are_said(detector, tmp_path, monkeypatch):
    told = {"flagged": True, "auc": 0.9, "low": 0.8, "high": 1.0}
    monkeypatch.setattr(AttributionRun, "keep_audit", lambda run, manifest: told)
    folder = attribute(detector, folder=tmp_path / "who", config=QUICK)
    note = read_json(folder / "attribution.json")["notes"][0]
    assert note.startswith("The files give the classes away")
    assert "The files give the classes away" in (folder / "report.html").read_text()


def test_folders_of_others_are_left_alone(detector, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(RunError, match="not empty and holds no attribution"):
        attribute(detector, folder=tmp_path / "full")
    (detector / "model.keras").touch()
    write_json(detector / "metrics.json", {})
    (detector / "report.html").touch()
    with pytest.raises(RunError, match="holds another command's run, no attribution"):
        attribute(detector, folder=detector)
    assert json.loads((detector / "config.json").read_text()) == {"train": {}}


def test_a_mistake_before_the_first_head_claims_nothing(
    detector, tmp_path, monkeypatch
):
    folder = tmp_path / "who"

    def broken(*arguments):
        raise InputError("no")

    monkeypatch.setattr(heads, "train_all", broken)
    with pytest.raises(InputError, match="no"):
        attribute(detector, folder=folder, config=QUICK)
    monkeypatch.undo()
    from kerasfaces.attribute import features

    rows = make_rows()
    monkeypatch.setattr(features, "load", lambda run, manifest: make_images(rows))
    other = Config(resamples=100, l2=0.1)
    assert attribute(detector, folder=folder, config=other) == folder


def test_what_is_no_detector(tmp_path):
    with pytest.raises(MissingFileError, match="is no folder; expected a run folder"):
        attribute(tmp_path / "none", folder=tmp_path / "who")
    (tmp_path / "joined").mkdir()
    for name in ("config.json", "ensemble.json"):
        (tmp_path / "joined" / name).write_text("{}")
    with pytest.raises(InputError, match="is an ensemble, which has no network"):
        attribute(tmp_path / "joined", folder=tmp_path / "who")
    (tmp_path / "often" / "seed-3").mkdir(parents=True)
    (tmp_path / "often" / "seed-3" / "config.json").write_text("{}")
    with pytest.raises(MissingFileError, match=r"give one of them, e\.g\. .*seed-3"):
        attribute(tmp_path / "often", folder=tmp_path / "who")
    rows = make_rows()
    (tmp_path / "run").mkdir()
    rows.to_csv(tmp_path / "run" / "manifest.csv", index=False)
    with pytest.raises(MissingFileError, match="holds images, not a run"):
        attribute(tmp_path / "run", folder=tmp_path / "who")
    write_json(tmp_path / "run" / "config.json", {})
    write_json(tmp_path / "run" / "ensemble.json", {})
    with pytest.raises(InputError, match="is an ensemble"):
        attribute(tmp_path / "run", folder=tmp_path / "who2")


@pytest.fixture
def finished(detector, tmp_path):
    """A finished attribution."""
    return attribute(detector, folder=tmp_path / "who", config=QUICK)


def test_a_finished_one_is_applied_to_other_images(finished, tmp_path, capsys):
    rows = make_rows().assign(split="")
    path = tmp_path / "new.csv"
    rows.to_csv(path, index=False)
    assert command.main([str(finished), "--manifest", str(path)]) == 0
    told = capsys.readouterr().out
    assert f"{len(rows)} images, 0 of them unreadable" in told
    assert "gan (fake)" in told
    file = next(finished.glob("applied/*/attribution.csv"))
    assert f"table: {file}" in told
    applied = pd.read_csv(file, keep_default_na=False)
    assert len(applied) == len(rows)
    own = pd.read_csv(finished / "attribution_test.csv", keep_default_na=False)
    same = applied.set_index("path").loc[own["path"], "called"]
    assert same.tolist() == own["called"].tolist()


def test_applying_needs_images_and_the_same_detector(finished, detector, tmp_path):
    with pytest.raises(InputError, match="give the images with --manifest M"):
        command.main([str(finished)])
    path = tmp_path / "new.csv"
    make_rows().to_csv(path, index=False)
    write_json(detector / "config.json", {"train": {"seed": 1}})
    with pytest.raises(RunError, match="gone or another by now"):
        command.main([str(finished), "--manifest", str(path)])
    content = read_json(finished / "attribution.json")
    write_json(finished / "attribution.json", {**content, "open_set": {"a": 1}})
    with pytest.raises(RunError, match=r"attribution\.json cannot be read"):
        command.main([str(finished), "--manifest", str(path)])


@pytest.mark.parametrize(("name", "value"), [("reject", "0.1"), ("seed", 1.5)])
def test_a_number_of_another_type_is_refused(detector, name, value):
    trained = types.SimpleNamespace(folder=detector)
    with pytest.raises(InputError, match=f"{name}: expected (float|int), got"):
        AnalysedDetector.attribute(trained, **{name: value})


@pytest.mark.parametrize(
    ("option", "value"),
    [("--output", "x"), ("--reject", "0.1"), ("--l2", "0.1"), ("--seed", "1")],
)
def test_a_finished_one_takes_no_settings(finished, tmp_path, capsys, option, value):
    path = tmp_path / "new.csv"
    make_rows().to_csv(path, index=False)
    with pytest.raises(SystemExit, match="2"):
        command.main([str(finished), "--manifest", str(path), option, value])
    assert f"{option} goes with a detector's run; {finished}" in capsys.readouterr().err
    assert not list(finished.glob("applied/*"))


def test_images_none_of_which_can_be_read_are_an_error(finished, tmp_path, monkeypatch):
    from kerasfaces.attribute import features

    rows = make_rows()
    rows.to_csv(tmp_path / "new.csv", index=False)
    none = make_images(rows, reasons=["truncated"] * len(rows))
    monkeypatch.setattr(features, "load", lambda run, manifest: none)
    with pytest.raises(
        InputError, match=r"None of the .* be read, e\.g\. .*: truncated\."
    ):
        command.main([str(finished), "--manifest", str(tmp_path / "new.csv")])


def test_heads_of_other_classes_are_not_taken_over(tmp_path):
    rows = make_rows((20, 12, 12))
    attributed(tmp_path / "one", rows)  # killed before its report, and an image is lost
    lost = list(rows["source"]).index("autoencoder")
    reasons = ["gone" if row == lost else "" for row in range(len(rows))]
    again = attributed(tmp_path / "one", rows, reasons=reasons)
    fresh = attributed(tmp_path / "two", rows, reasons=reasons)
    assert again["classes"]["few"] == ["autoencoder"]
    assert again == fresh


def test_the_page_says_what_the_rejected_share_is_of(tmp_path):
    page = report.render({**attributed(tmp_path), "detector": "x"}, "name")
    assert "each class weighing alike (there" in page
    assert "of the test images, as they are" in page
