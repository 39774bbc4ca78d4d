"""Joined detectors: fitted on validation alone, an ordinary run folder, a tested gain."""

import json

import numpy as np
import pandas as pd
import pytest
from detector_files import make_run, scored, write_csv

from kerasfaces import metrics
from kerasfaces.cli import ensemble as command
from kerasfaces.compare import combiners, ensemble
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.evaluate.other_images import evaluate_manifest
from kerasfaces.evaluate.run import evaluate_run
from kerasfaces.run import predictions


@pytest.fixture
def members(tmp_path):
    """Two runs and a CSV file of the same images."""
    frame = pd.concat([scored(split, 1.2, seed=3) for split in ("val", "test")])
    return [
        str(make_run(tmp_path / "a")),
        str(make_run(tmp_path / "b", 1.5, seed=2)),
        str(write_csv(tmp_path / "c.csv", frame)),
    ]


def made(members, folder, method="average"):
    return ensemble.make(ensemble.read_members(members), method, folder, resamples=100)


def example(n=50, k=30):
    random = np.random.default_rng(0)
    fake = np.arange(n) % 3 == 0
    val = random.normal(0, 1, (n, 3)) + fake[:, None] * [2.0, 1.0, 0.0]
    return val, fake, random.normal(0, 2, (k, 3))


def test_average_is_the_mean_probability():
    val, fake, test = example()
    found = combiners.combine("average", val, fake, test)
    expected = (1 / (1 + np.exp(-test))).mean(axis=1)
    np.testing.assert_allclose(1 / (1 + np.exp(-found.test)), expected)


def test_average_of_very_sure_ones_keeps_their_order():
    val, fake, _ = example()
    sure = np.array([[40.0, 41, 42], [50, 51, 52], [700, 700, 700]])
    found = combiners.combine("average", val, fake, sure).test
    assert np.all(np.diff(found) > 0)
    assert np.isfinite(found).all()


def test_rank_is_the_place_among_validation_and_goes_on_beyond_it():
    val = np.arange(1.0, 11.0)[:, None]
    test = np.array([[-100.0], [0.0], [1.0], [5.5], [10.0], [11.0], [12.0]])
    found = combiners.combine("rank", val, val[:, 0] > 5, test).test
    assert np.all(np.diff(found) > 0)
    share = 1 / (1 + np.exp(-found))
    np.testing.assert_allclose(share[2:5], [0.05, 0.5, 0.95])


def test_standardised_logits_weigh_members_alike():
    val, fake, test = example()
    scaled = [1.0, 100.0, 0.01]
    found = combiners.combine("logits", val, fake, test)
    other = combiners.combine("logits", val * scaled, fake, test * scaled)
    np.testing.assert_allclose(found.test, other.test)


def test_stacking_finds_who_is_good_and_never_scores_what_it_saw():
    val, fake, test = example(300)
    found = combiners.combine("stacked", val, fake, test)
    weights = found.parameters["weights"]
    assert weights[0] > weights[1] > abs(weights[2])
    seen = val @ np.array(weights) + found.parameters["offset"]
    np.testing.assert_allclose(
        test @ np.array(weights) + found.parameters["offset"], found.test
    )
    assert not np.allclose(seen, found.val)
    noise = np.random.default_rng(1).normal(0, 1, (40, 15))
    labels = np.arange(40) % 2 == 0
    honest = combiners.combine("stacked", noise, labels, noise)
    assert metrics.auc(labels, honest.val) < metrics.auc(labels, honest.test) - 0.2


@pytest.mark.parametrize("method", combiners.METHODS)
def test_every_answer_stands_alone(method):
    val, fake, test = example()
    whole = combiners.combine(method, val, fake, test).test
    alone = combiners.combine(method, val, fake, test[3:4]).test
    np.testing.assert_allclose(whole[3:4], alone)


@pytest.mark.parametrize("method", combiners.METHODS)
def test_an_ordinary_run_folder(members, tmp_path, method):
    folder = tmp_path / "joined"
    content = made(members, folder, method)
    for name in ("config.json", "operating_point.json", "metrics.json", "report.html"):
        assert (folder / name).exists()
    frame = predictions.read(folder / "predictions_test.csv")
    assert len(frame) == 120
    assert frame["score"].between(0, 1).all()
    assert {"pair_id", "attr_gender"} <= set(frame.columns)
    assert metrics.auc(frame["label"], frame["logit"]) > 0.8
    first = json.loads((folder / "metrics.json").read_text())
    assert evaluate_run(folder)["metrics"] == first["metrics"]
    assert content["best_member"] in content["members"]
    assert combiners.MEANINGS[method] in (folder / "report.html").read_text()


def test_the_gain_is_paired_and_over_the_best_on_validation(members, tmp_path):
    content = made(members, tmp_path / "joined")
    frame = predictions.read(tmp_path / "joined" / "predictions_test.csv")
    best = content["best_member"]
    assert content["val_auc"][best] == max(
        content["val_auc"][name] for name in content["members"]
    )
    own = predictions.read(tmp_path / best / "predictions_test.csv")
    difference = metrics.auc(frame["label"], frame["logit"]) - metrics.auc(
        own["label"], own["logit"]
    )
    gain = content["gain"]["auc"]
    assert gain["value"] == pytest.approx(difference)
    assert gain["low"] <= gain["value"] <= gain["high"]
    assert 0 < gain["p"] <= 1
    page = (tmp_path / "joined" / "report.html").read_text()
    assert f"Minus {best}, the best member on validation" in page


@pytest.mark.parametrize("method", combiners.METHODS)
def test_test_labels_change_nothing_but_the_measures(members, tmp_path, method):
    made(members, tmp_path / "one", method)
    for text in members:
        path = tmp_path.__class__(text)
        file = path / "predictions_test.csv" if path.is_dir() else path
        frame = pd.read_csv(file, dtype=str, keep_default_na=False)
        test = frame["split"] == "test"
        other = {"real": "fake", "fake": "real"}
        frame.loc[test, "label"] = frame.loc[test, "label"].map(other)
        frame.to_csv(file, index=False)
    made(members, tmp_path / "two", method)
    first, second = (
        predictions.read(tmp_path / name / "predictions_test.csv")
        for name in ("one", "two")
    )
    assert first["score"].tolist() == second["score"].tolist()
    assert (first["label"] != second["label"]).all()


def test_what_a_member_lacks_is_a_row_with_a_reason(members, tmp_path):
    path = tmp_path / "c.csv"
    frame = pd.read_csv(path)
    frame.drop(frame.index[frame["split"] == "test"][:4]).to_csv(path, index=False)
    content = made(members, tmp_path / "joined")
    found = predictions.read(tmp_path / "joined" / "predictions_test.csv")
    assert len(found) == 120
    bad = found[found["reason"] != ""]
    assert bad["reason"].tolist() == ["not every member has a score for it"] * 4
    assert bad["logit"].isna().all()
    assert content["n_test"] == 116
    assert content["lacks"]["test"]["c"]["n_missing"] == 4
    page = (tmp_path / "joined" / "report.html").read_text()
    assert "4 of 120 images in test were not scored by every member" in page
    assert "could not be read" not in page


def test_a_member_without_validation_is_refused(members, tmp_path):
    path = write_csv(tmp_path / "bare.csv", scored("test", seed=4))
    with pytest.raises(InputError, match=r"bare\.csv: an ensemble is fitted on valid"):
        ensemble.read_members([*members, str(path)])


def test_one_member_is_none(members):
    with pytest.raises(InputError, match="at least two detectors, got 1"):
        ensemble.read_members(members[:1])


def test_too_few_to_stack():
    val, _, test = example(6)
    with pytest.raises(InputError, match="at least 2 real and 2 fake"):
        combiners.combine("stacked", val, np.arange(6) == 0, test)
    with pytest.raises(InputError, match="method 'vote' is unknown"):
        combiners.combine("vote", val, np.arange(6) == 0, test)


def test_a_finished_one_is_read_and_another_refused(members, tmp_path):
    folder = tmp_path / "joined"
    first = made(members, folder)
    written = (folder / "report.html").stat().st_mtime_ns
    assert made(members, folder) == json.loads(json.dumps(first))
    assert (folder / "report.html").stat().st_mtime_ns == written
    with pytest.raises(RunError, match="method: average -> rank"):
        made(members, folder, "rank")
    with pytest.raises(RunError, match="holds another ensemble"):
        made(members, tmp_path / "a")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(RunError, match="not empty and holds no ensemble"):
        made(members, tmp_path / "full")


def test_killed_before_the_report_it_is_made_again(members, tmp_path):
    folder = tmp_path / "joined"
    made(members, folder)
    before = (folder / "predictions_test.csv").read_bytes()
    (folder / "report.html").unlink()
    (folder / "metrics.json").unlink()
    made(members, folder)
    assert (folder / "report.html").exists()
    assert (folder / "predictions_test.csv").read_bytes() == before


def test_other_images_need_the_members(members, tmp_path):
    made(members, tmp_path / "joined")
    with pytest.raises(InputError, match="is an ensemble: evaluate its members"):
        evaluate_manifest(tmp_path / "joined", tmp_path / "m.csv")


def test_the_command(members, tmp_path, capsys):
    folder = tmp_path / "joined"
    arguments = [*members, "--method", "all", "-o", str(folder)]
    assert command.main(arguments) == 0
    told = capsys.readouterr().out
    for method in combiners.METHODS:
        assert f"report: {folder / method / 'report.html'}" in told
    assert told.count("the best member on validation, on the same 120 test") == 4
    assert "best on validation: " in told
