"""A threshold chosen anew: on validation, or on somebody's own real photos."""

import dataclasses

import numpy as np
import pytest
from detector_files import make_run
from PIL import Image
from stub_detector import Stub

from kerasfaces.cli import evaluate
from kerasfaces.cli.evaluate import main
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.metrics import clopper_pearson
from kerasfaces.run.folder import ScoredRun
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.serve import setting
from kerasfaces.serve.exported import ExportedDetector


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", n=400)


def share_flagged(run, split="val"):
    frame = ScoredRun(run).predictions(split)
    real = frame[frame["label"] == "real"]
    verdicts = ScoredRun(run).operating_point.threshold
    return float((real["score"] >= verdicts).mean())


def test_what_was_before_and_why_nothing_is_unsure_are_said(run, capsys):
    before = ScoredRun(run).operating_point.threshold
    main([str(run), "--max-false-alarms", "0.02"])
    assert f"before: score {before:.4f}" in capsys.readouterr().out
    point = ScoredRun(run).operating_point
    low, high = 0.5, 0.5
    for rates, words in (
        ({"false_alarm_rate": 0.0, "miss_rate": 0.0}, "no error at this threshold"),
        ({"false_alarm_rate": 0.1}, "no band that leaves half"),
    ):
        empty = dataclasses.replace(point, abstain=(low, high), **rates)
        assert words in evaluate._band(empty)


def test_false_alarms_are_kept_on_validation(run, capsys):
    before = ScoredRun(run).operating_point
    assert main([str(run), "--max-false-alarms", "0.02"]) == 0
    point = ScoredRun(run).operating_point
    assert 0 < share_flagged(run) <= 0.02 < before.false_alarm_rate
    assert point.threshold > before.threshold
    assert point.calibrator == before.calibrator
    low, high = point.abstain
    assert low <= point.threshold <= high
    out = capsys.readouterr().out
    assert "at most 2 % false alarms on validation" in out
    rate = read_json(run / "metrics.json")["metrics"]["test"]["all"]["false_alarm_rate"]
    assert rate["value"] == pytest.approx(share_flagged(run, "test"))
    again = main([str(run), "--max-false-alarms", "0.02"])
    assert (again, ScoredRun(run).operating_point) == (0, point)


@pytest.mark.parametrize("rate", ["0", "1", "-0.1", "nan"])
def test_a_share_is_between_0_and_1(run, rate):
    content = (run / "operating_point.json").read_bytes()
    with pytest.raises(InputError, match="expected 0 < rate < 1"):
        main([str(run), "--max-false-alarms", rate])
    assert (run / "operating_point.json").read_bytes() == content


def test_a_share_of_none_is_refused_of_own_photos_too(run, tmp_path, monkeypatch):
    Image.new("RGB", (40, 40)).save(tmp_path / "mine.png")
    stub = Stub(operating_point=ScoredRun(run).operating_point)
    monkeypatch.setattr(ExportedDetector, "open", lambda folder, engine: stub)
    words = ["--calibrate-on", str(tmp_path / "mine.png"), "--max-false-alarms", "0"]
    with pytest.raises(InputError, match="expected 0 < rate < 1"):
        main([str(run), *words])


def test_own_photos_choose_the_threshold(run, tmp_path, monkeypatch, capsys):
    photos = tmp_path / "mine"
    photos.mkdir()
    for level in range(100, 140):
        Image.new("RGB", (40, 40), (level,) * 3).save(photos / f"{level}.png")
    (photos / "text.jpg").write_text("no image")
    before = ScoredRun(run).operating_point
    stub = Stub(operating_point=before)
    monkeypatch.setattr(ExportedDetector, "open", lambda folder, engine: stub)
    words = [str(run), "--calibrate-on", str(photos), "--max-false-alarms", "0.1"]
    assert main(words) == 0
    point = ScoredRun(run).operating_point
    logits = (np.arange(100, 140) - 127.5) / 10
    scores = point.apply(logits)
    assert (scores >= point.threshold).sum() == 4
    low, high = clopper_pearson(4, 40)
    assert point.own_photos == {
        "n": 40,
        "flagged": 4,
        "low": low,
        "high": high,
        "max_false_alarms": 0.1,
    }
    assert point.calibrator == before.calibrator
    assert point.abstain[0] <= point.threshold <= point.abstain[1]
    out = capsys.readouterr().out
    assert "at most 10 % false alarms on 40 real photos of the user's own" in out
    assert "4 of 40 flagged (95 % 2.8 to 23.7 %)" in out
    assert "mine" not in (run / "operating_point.json").read_text()
    content = read_json(run / "operating_point.json")
    assert OperatingPoint.from_json(content, "") == point
    content["own_photos"] = {"n": 3}
    write_json(run / "operating_point.json", content)
    with pytest.raises(RunError, match="own_photos is not what evaluate wrote"):
        _ = ScoredRun(run).operating_point


def test_one_photo_in_a_hundred_takes_a_hundred(run, tmp_path, monkeypatch, caplog):
    photos = [tmp_path / f"{n}.png" for n in range(30)]
    for number, path in enumerate(photos):
        Image.new("RGB", (40, 40), (number,) * 3).save(path)
    stub = Stub(operating_point=ScoredRun(run).operating_point)
    monkeypatch.setattr(ExportedDetector, "open", lambda folder, engine: stub)
    point = setting.calibrate_on(run, photos)
    assert point.own_photos["flagged"] == 0
    assert "coarse: with 30 reals one is already 3.3 %" in point.rule
    assert "30 photos are few: a share of 1 % takes at least 100" in caplog.text
    caplog.clear()
    setting.calibrate_on(run, photos, 0.1)
    assert "are few" not in caplog.text
    setting.calibrate_on(run, photos, 0.03)
    assert "a share of 3 % takes at least 34" in caplog.text
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(InputError, match="None of the photos has a logit"):
        setting.calibrate_on(run, [tmp_path / "text.png"])


def test_exports_follow(run, monkeypatch, caplog):
    from kerasfaces.serve import export

    asked = []

    def made_again(folder, kind):
        asked.append((kind, ScoredRun(folder).operating_point.rule))
        if kind == "onnx":
            raise InputError("no Keras here.")

    monkeypatch.setattr(export, "export", made_again)
    for kind in ("onnx", "openvino"):
        write_json(run / "exports" / kind / "export.json", {})
    setting.set_false_alarms(run, 0.05)
    assert [kind for kind, _ in asked] == ["onnx", "openvino"]
    assert "at most 5 %" in asked[0][1]
    assert "onnx keeps the earlier threshold" in caplog.text


@pytest.mark.parametrize("cached", [True, False])
def test_the_browser_page_follows_or_is_named(run, monkeypatch, caplog, cached):
    from kerasfaces.serve import browser

    asked = []
    monkeypatch.setattr(browser.runtimes, "is_cached", lambda: cached)
    monkeypatch.setattr(browser, "write_page", asked.append)
    write_json(run / "exports/browser/export.json", {})
    setting.set_false_alarms(run, 0.05)
    assert asked == [run] * cached
    named = f"{run / 'exports/browser'} keeps the earlier threshold" in caplog.text
    assert named is not cached
    assert ("--format browser" in caplog.text) is not cached


def test_points_that_are_not_the_run_s_to_choose(run):
    (run / "protocol.json").write_text("{}")
    with pytest.raises(InputError, match="trained for unseen families"):
        setting.set_false_alarms(run, 0.05)
    (run / "ensemble.json").write_text("{}")
    with pytest.raises(InputError, match="is an ensemble"):
        setting.set_false_alarms(run, 0.05)


def test_training_s_threshold_comes_back(run, capsys):
    before = (run / "operating_point.json").read_bytes()
    assert main([str(run), "--max-false-alarms", "0.02"]) == 0
    assert (run / "operating_point.json").read_bytes() != before
    assert main([str(run), "--reset-threshold"]) == 0
    assert (run / "operating_point.json").read_bytes() == before
    write_json(run / "config.json", {"train": {"false_alarm_rate": 0.1}})
    setting.set_as_trained(run)
    assert "at most 10 % false alarms" in ScoredRun(run).operating_point.rule
    with pytest.raises(SystemExit):
        main([str(run), "--reset-threshold", "--max-false-alarms", "0.1"])
    assert "goes without" in capsys.readouterr().err


def test_an_unseen_run_is_set_on_what_training_chose_on(run):
    from kerasfaces.evaluate import unseen
    from kerasfaces.run.thresholds import ValidationPredictions

    own = ScoredRun(run)
    own.unseen = {"families": {}}
    validation = ValidationPredictions(own.predictions("val"))
    validation.logit = validation.logit - 2.0 * validation.fake  # harder than its own
    own.unseen_validation = unseen.as_json(validation)
    point = setting.set_false_alarms(run, 0.05)
    assert point.rule.endswith(unseen.RULE)
    scores = point.apply(validation.logit)
    missed = (scores < point.threshold)[validation.fake].mean()
    assert point.miss_rate == pytest.approx(missed)
    own.unseen_validation = {"fake": [True]}
    with pytest.raises(RunError, match=r"unseen_validation\.json is damaged"):
        setting.set_as_trained(run)


def test_a_full_disk_while_exports_follow_is_a_warning(run, monkeypatch, caplog):
    def full(folder, kind):
        raise OSError(28, "No space left on device")

    (run / "exports" / "onnx").mkdir(parents=True)
    write_json(run / "exports" / "onnx" / "export.json", {})
    monkeypatch.setattr(setting, "_export_again", full)
    setting.set_false_alarms(run, 0.05)
    assert "keeps the earlier threshold" in caplog.text
    assert "No space left" in caplog.text


def test_a_point_without_own_photos_is_written_as_before(run):
    point = ScoredRun(run).operating_point
    assert point.own_photos is None
    assert "own_photos" not in point.to_json()
    other = dataclasses.replace(point, own_photos={"n": 1})
    assert "own_photos" in other.to_json()
