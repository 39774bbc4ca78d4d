"""lnp_fusion: chosen on validation, averages calibrated, trained images left out."""

import json

import numpy as np
import pandas as pd
import pytest

from experiments.__main__ import main
from experiments.lnp_fusion import elsewhere, ensemble, experiment
from kerasfaces import manifest as manifests
from kerasfaces.core.files import read_json
from kerasfaces.evaluate import run as evaluation
from kerasfaces.metrics import auc
from kerasfaces.run import predictions
from kerasfaces.run.operating_point import OperatingPoint


def frame(split, logit, labels, names=None):
    names = names or [f"{split}/{i}.png" for i in range(len(labels))]
    return pd.DataFrame(
        {"path": names, "label": labels, "source": "s", "split": split, "reason": ""}
    ).assign(logit=logit, score=np.nan)


@pytest.fixture
def members(tmp_path):
    """Two runs that see different halves of the truth, one ten times as loud."""
    random = np.random.default_rng(0)
    labels = ["real", "fake"] * 60
    fake = np.array([label == "fake" for label in labels])
    folders = []
    for name, scale in (("a", 1.0), ("b", 10.0)):
        frames = {
            split: frame(split, scale * (fake + random.normal(0, 1, 120)), labels)
            for split in ("val", "test")
        }
        folder = tmp_path / name / "split-0"
        folder.mkdir(parents=True)
        evaluation.finish(folder, frames, config={}, environment={}, bootstrap=20)
        folders.append(folder)
    return folders


def test_average_is_that_of_calibrated_log_odds(members, tmp_path):
    folder = ensemble.average(members, tmp_path / "average" / "split-0")
    found = predictions.read(folder / "predictions_test.csv")
    parts, aucs = [], []
    for member in members:
        point = OperatingPoint.from_json(read_json(member / "operating_point.json"), "")
        logits = predictions.read(member / "predictions_test.csv")["logit"].to_numpy()
        parts.append(point.calibrator.a * logits + point.calibrator.b)
        aucs.append(auc(found["label"], logits))
    np.testing.assert_allclose(found["logit"], np.mean(parts, axis=0), rtol=1e-6)
    entry = read_json(folder / "metrics.json")["metrics"]["test"]["all"]
    assert entry["auc"]["value"] > max(aucs)
    before = (folder / "metrics.json").stat().st_mtime_ns
    assert ensemble.average(members, folder) == folder
    assert (folder / "metrics.json").stat().st_mtime_ns == before
    assert ensemble.members_of(folder) == (members, [1.0, 1.0])
    assert ensemble.members_of(members[0]) == ([members[0]], [1.0])
    weighted = ensemble.average(members, tmp_path / "more" / "split-0", [3.0, 1.0])
    found = predictions.read(weighted / "predictions_test.csv")
    wanted = (3 * parts[0] + parts[1]) / 4
    np.testing.assert_allclose(found["logit"], wanted, rtol=1e-6)


def test_rows_one_member_could_not_read_have_no_average(members):
    frames = [predictions.read(member / "predictions_test.csv") for member in members]
    frames[1].loc[3, ["logit", "score"]] = np.nan
    frames[1].loc[3, "reason"] = "no face found"
    found = ensemble.joined(list(zip(frames, members, strict=True)), [1.0, 3.0])
    assert np.isnan(found["logit"][3])
    assert found["reason"][3] == "no face found"
    assert found["logit"].isna().sum() == 1


def test_other_rows_are_no_partner(members):
    frames = [predictions.read(member / "predictions_test.csv") for member in members]
    with pytest.raises(ValueError, match="predictions of other rows"):
        ensemble.joined(
            [(frames[0], members[0]), (frames[1][::-1], members[1])], [1.0, 1.0]
        )


def test_images_a_detector_was_made_with_are_left_out(members):
    def hashed(rows, names):
        rows = rows.drop(columns=["logit", "score"])
        return rows.assign(sha256=[name * 64 for name in names])

    own = frame("train", 0.0, ["real", "fake", "real", "fake"])
    own["split"] = ["train", "val", "test", "test"]
    manifests.write(
        manifests.Manifest(hashed(own, "abcd"), members[0]), members[0] / "manifest.csv"
    )
    others = frame(
        "",
        1.0,
        ["real", "fake", "real", "fake", "real"],
        [f"neutral/{i}.jpg" for i in range(5)],
    )
    copies = hashed(others, "12345").assign(
        original_sha256=[name * 64 for name in "abcde"]
    )
    left = elsewhere.unseen(others, members[0], manifests.Manifest(copies, members[0]))
    assert list(left["path"]) == ["neutral/2.jpg", "neutral/3.jpg", "neutral/4.jpg"]
    strangers = manifests.Manifest(hashed(others, "vwxyz"), members[0])
    assert len(elsewhere.unseen(others, members[0], strangers)) == 5


def test_each_generator_stands_against_all_reals():
    random = np.random.default_rng(1)
    source = np.repeat(["camera", "phone", "gan", "diffusion"], 40)
    label = np.where(np.isin(source, ["camera", "phone"]), "real", "fake")
    logit = random.normal(0, 1, 160) + 2.0 * (source == "gan")
    found = elsewhere.per_source(
        pd.DataFrame({"label": label, "source": source, "logit": logit})
    )
    assert set(found) == {elsewhere.ALL, "gan", "diffusion"}
    chosen = (source == "gan") | (label == "real")
    assert found["gan"].value == pytest.approx(auc(label[chosen], logit[chosen]))
    assert found["gan"].n == 120
    assert found["gan"].low < found["gan"].value < found["gan"].high


def test_rows(run_experiment, write_manifest, trained, weights_file, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--seeds", "0-1", "--weights", str(weights_file)]
    results = run_experiment("lnp_fusion", write_manifest(), *words)
    assert len(trained) == 2 * (1 + 2 * len(experiment.GAINS))
    assert {request.store is None for request in trained} == {True, False}
    test = {
        row["row"]: row["ours"]
        for row in results["rows"]
        if (row["table"], row["metric"]) == ("test", "auc")
    }
    assert list(test) == [*experiment.KINDS, experiment.CHOSEN]
    validation = {
        row["row"]: row["ours"]["values"]
        for row in results["rows"]
        if row["table"] == "validation"
    }
    best = [max(each) for each in zip(*validation.values(), strict=True)]
    names = [
        next(name for name in validation if validation[name][i] == best[i])
        for i in range(2)
    ]
    note = " ".join(results["notes"])
    assert f"Chosen on validation: split 0: {names[0]}; split 1: {names[1]}." in note
    assert "the goal of 0.975" in note
    folder = out / "average_with_both" / "split-0"
    others = [
        f"{kind}_x{gain:g}" for gain in experiment.GAINS for kind in ("lnp", "one_head")
    ]
    made_of, weights = ensemble.members_of(folder)
    assert [each.parent.name for each in made_of] == ["rgb", *others]
    assert weights == [6.0, *[1.0] * 6]
    differences = [row for row in results["rows"] if row["table"] == "differences"]
    assert len(differences) == len(experiment.KINDS) * 3
    capsys.readouterr()


@pytest.mark.slow
def test_quick_through_the_real_stage(tmp_path, capsys):
    out = tmp_path / "out"
    also = tmp_path / "also.csv"
    words = ["lnp_fusion", "--quick", "-o", str(out)]
    assert main(words) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert {row["status"] for row in results["rows"]} == {"run"}
    rows = manifests.read(out / "splits" / "5-1-1-seed-0.csv")
    chosen = rows.rows[rows.rows["split"] == "test"].assign(split="")
    manifests.write(manifests.Manifest(chosen, rows.folder), also)
    assert main([*words, "--also", str(also)]) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    there = [row for row in results["rows"] if row["table"] == "elsewhere"]
    assert {row["row"].split(", ")[0] for row in there} == {
        *experiment.KINDS,
        experiment.CHOSEN,
    }
    here = next(row for row in results["rows"] if row["row"] == "one head")
    same = next(row for row in there if row["row"] == "one head, all generators")
    assert same["ours"]["value"] == pytest.approx(here["ours"]["value"], abs=1e-6)
    capsys.readouterr()
