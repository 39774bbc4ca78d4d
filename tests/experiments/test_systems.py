"""systems: every detector has a line; costs, failures, budget, pages."""

import json

import numpy as np
import pytest
from result_rows import lines

from experiments.__main__ import main
from experiments.framework import results_file, runner
from experiments.systems import cost, detectors, experiment, page, trial
from kerasfaces.core import registry
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json
from kerasfaces.models import catalogue
from kerasfaces.train import run as training

pytestmark = pytest.mark.tf
TITLES = [each.title for each in detectors.detectors()]
WITHOUT = [each.title for each in detectors.detectors() if each.needs_weights][2:]


@pytest.fixture
def command(write_manifest, trained, no_imagenet, weights_file, tmp_path):
    """Run the experiment on made-up predictions; returns its code and results.json."""
    out = tmp_path / "out"

    def run(*words, weights=True):
        given = ["systems", "--manifest", str(write_manifest()), "-o", str(out), *words]
        if weights:
            given += ["--weights", f"mobilenetv2={weights_file}"]
        return main(given), read_json(out / "results.json")

    run.out = out
    return run


def test_every_model_and_baseline_of_the_toolkit_is_in_the_table():
    known = {
        *catalogue.names(),
        *registry.names("kerasfaces.baselines.zoo"),
    }
    assert {each.model for each in detectors.detectors()} == known
    assert len(set(TITLES)) == len(TITLES)
    assert len({each.label for each in detectors.detectors()}) == len(TITLES)


def test_each_is_trained_as_its_document_says(command, trained):
    command()
    by_label = {request.folder.parent.name: request for request in trained}
    assert by_label["yu2024-hog_svm"].weights == "none"
    assert by_label["ours"].config.model.scales == (1.0, 2.0)
    assert by_label["kabber2023-mobilenetv2"].config.epochs == 10
    assert by_label["resnet18_from_random_weights"].weights == "none"
    assert by_label["resnet18_from_random_weights"].config.epochs == 15
    rows = [request.manifest.rows for request in trained]
    first = rows[0][rows[0]["split"] == "test"]["path"]
    for request, each in zip(trained, rows, strict=True):
        if request.folder.parent.name != "autogan_spec":
            assert list(each[each["split"] == "test"]["path"]) == list(first)


def test_every_line_has_its_numbers_or_says_why_not(command):
    code, results = command()
    assert code == 0
    quality = lines(results, page.QUALITY)
    assert {title for title, _ in quality} == set(TITLES)
    for title in TITLES:
        auc = quality[title, "auc"]
        if title in WITHOUT:
            assert auc["status"] == "not run: no weights"
        else:
            assert auc["ours"]["low"] <= auc["ours"]["value"] <= auc["ours"]["high"]
            assert (title, "tpr_at_fpr_1pct") in quality
    assert len(WITHOUT) == 30
    costs = lines(results, page.COST)
    assert costs["ours", "training seconds"]["ours"]["value"] == 36
    assert costs["ours", "times the reference's ms"]["ours"]["value"] == 1.5
    differences = lines(results, page.DIFFERENCES)
    ours = differences["ours", "auc difference"]["ours"]
    expected = quality["ours", "auc"]["ours"]["value"]
    expected -= quality[experiment.REFERENCE, "auc"]["ours"]["value"]
    assert ours["value"] == pytest.approx(expected)
    assert 0 < ours["p_value"] <= 1
    assert (experiment.REFERENCE, "auc difference") not in differences


def test_the_page_holds_every_detector_and_nothing_from_elsewhere(command):
    command()
    text = (command.out / "index.html").read_text(encoding="utf-8")
    for title in TITLES:
        assert title in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text
    assert "<script" not in text
    assert text.count("<svg") == 2
    assert 'href="ours/split-0/report.html"' in text
    assert "/home/" not in text


def test_one_that_breaks_is_named_and_the_rest_completes(
    command, trained, monkeypatch, capsys
):
    good = training.train

    def train(request, preparations=None):
        if request.config.model.name == "two_layer_cnn":
            raise ValueError(f"no such thing in {request.folder}/x.npz")
        return good(request)

    monkeypatch.setattr(training, "train", train)
    code, results = command()
    assert code == 1
    quality = lines(results, page.QUALITY)
    row = quality["two_layer_cnn (tian2023)", "auc"]
    assert row["status"] == "failed: ValueError('no such thing in x.npz')"
    assert quality["logistic_regression (tian2023)", "auc"]["status"] == "run"
    kept = command.out / "failures" / "tian2023-two_layer_cnn-split-0.txt"
    assert "Traceback" in kept.read_text(encoding="utf-8")
    assert "failed: ValueError('no such thing" in capsys.readouterr().out
    assert "failed: ValueError(&#39;no such" in (command.out / "index.html").read_text()
    monkeypatch.setattr(training, "train", good)
    code, results = command()
    assert code == 0
    assert lines(results, page.QUALITY)[row["row"], "auc"]["status"] == "run"


def test_a_full_disk_stops_everything(command, monkeypatch):
    def train(request, preparations=None):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training, "train", train)
    with pytest.raises(OSError, match="No space left"):
        command()


def test_a_cost_that_cannot_be_measured_costs_that_number_alone(command, monkeypatch):
    def broken(self, folder):
        raise RunError(f"{folder} is damaged")

    monkeypatch.setattr(cost.Costs, "_measured", broken)
    code, results = command()
    assert code == 0
    assert lines(results, page.QUALITY)["ours", "auc"]["status"] == "run"
    assert lines(results, page.COST) == {}
    assert (
        "ours: its cost could not be measured: failed: split-0 is damaged"
        in " ".join(results["notes"])
    )


def test_budget(command, trained, monkeypatch):
    monkeypatch.setattr(runner.Context, "can_start", lambda context: len(trained) < 3)
    code, results = command("--budget-hours", "1")
    assert code == 0
    assert len(trained) == 3
    status = {
        title: row["status"] for (title, _), row in lines(results, page.QUALITY).items()
    }
    assert list(status.values()).count("run") == 3
    assert status["gragnaniello2021 (wan2023)"] == "not run: budget"
    assert status["vit_base (mudgal2023)"] == "not run: no weights"
    assert "Not run for want of more hours" in " ".join(results["notes"])


def test_without_any_weights(command, trained):
    _, results = command(weights=False)
    quality = lines(results, page.QUALITY)
    assert quality["ours", "auc"]["status"] == "not run: no weights"
    assert lines(results, page.DIFFERENCES) == {}
    assert quality["hog_svm (yu2024)", "auc"]["status"] == "run"


def test_none_is_no_way_to_train_a_pretrained_one(command, trained):
    _, results = command("--weights", "resnet50=none")
    row = lines(results, page.QUALITY)["resnet50 (kabber2023)", "auc"]
    assert row["status"] == "not run: no weights"


def test_record_as_another_set_of_images(command, monkeypatch, tmp_path):
    target = tmp_path / "systems"
    target.mkdir()
    marks = "<!-- results{}: written by --record -->\n<!-- end of results{} -->\n"
    readme = marks.format("", "") + marks.format(" of mixed", " of mixed")
    (target / "README.md").write_text(readme)
    record = results_file.record

    def here(results, printed, folder, part):
        record(results, printed, tmp_path / folder.name, part)

    monkeypatch.setattr(results_file, "record", here)
    command("--record", "mixed")
    assert (target / "results-mixed.json").exists()
    assert not (target / "results.json").exists()
    text = (target / "README.md").read_text()
    assert text.index("of mixed") < text.index("hog_svm")
    command("--record")
    assert json.loads((target / "results.json").read_text())["experiment"] == "systems"


@pytest.mark.parametrize("name", sorted({d.model for d in detectors.detectors()}))
def test_quick_makes_small_what_is_trained_from_random_weights(name):
    chosen = [
        each
        for each in detectors.detectors()
        if each.model == name and each.preset and each.model in detectors.PRETRAINED
    ]
    for each in chosen:
        config = detectors.smaller(detectors.configs.preset(each.preset, each.model))
        assert (config.model.size_px, config.epochs) == (64, 1)


def test_a_pass_with_random_weights(tiny_manifest):
    files = tiny_manifest.files()
    reals, fakes = files[:36], files[36:]
    detector = next(d for d in detectors.detectors() if d.name == "resnet50_convstack")
    found = trial.random_pass(detector, reals, fakes)
    assert found.n == 8
    assert np.isfinite(found.loss)
    assert found.parameters > 20_000_000


def test_a_pass_with_a_transformer_is_small(tiny_manifest):
    pytest.importorskip("keras_hub")
    files = tiny_manifest.files()
    detector = next(d for d in detectors.detectors() if d.name == "deit_base_384")
    found = trial.random_pass(detector, files[:36], files[36:])
    assert found.parameters < 200_000
