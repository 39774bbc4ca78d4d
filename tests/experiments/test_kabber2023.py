"""kabber2023: every published number has its row, and ours are right."""

import itertools
import json

import numpy as np
import pytest
from result_rows import lines

from experiments.__main__ import main
from experiments.framework.measured import class_report
from experiments.kabber2023 import measured, published
from kerasfaces.manifest.ratios import KABBER2023
from kerasfaces.metrics import Confusion


@pytest.fixture
def run(run_experiment, write_manifest, weights_file):
    """Run the experiment on made-up predictions; returns results.json."""

    def run(seeds="0", resnet50=False, **options):
        words = ["--seeds", seeds, "--weights", f"mobilenetv2={weights_file}"]
        words += ["--weights", f"resnet50={weights_file}"] * resnet50
        return run_experiment("kabber2023", write_manifest(**options), *words)

    return run


def published_numbers():
    cells = [(cell.table, cell.row, cell.metric) for cell in published.CELLS]
    groups = [
        (table, group.row, "accuracy")
        for table in ("table 6", "table 9")
        for group in published.GROUPS
    ]
    return cells + groups


def test_the_document_prints_46_numbers_in_tables_5_to_9_and_its_text():
    assert len(published_numbers()) == len(set(published_numbers())) == 46
    assert set(published.TITLES) == set(published.MODELS)


def test_every_published_number_has_one_row_when_all_is_run(run):
    results = run(resnet50=True)
    (variations,) = lines(results, "fresh").values()
    assert variations["status"] == "not run: no key"
    rows = [row for row in results["rows"] if row["table"] in published.TITLES]
    found = [(row["table"], row["row"], row["metric"]) for row in rows]
    assert sorted(found) == sorted(published_numbers())
    assert {row["status"] for row in rows} == {"run"}
    assert all(row["published"] is not None for row in rows)
    assert all(row["ours"]["value"] is not None for row in rows)
    assert {row["data"] for row in results["rows"]} == {
        "120 camera (real) + 120 gan (fake)"
    }


def test_without_imagenet_resnet50_says_so_and_the_rest_completes(run, capsys):
    results = run()
    statuses = {table: set() for table in published.TITLES}
    rows = [row for row in results["rows"] if row["table"] in published.TITLES]
    for row in rows:
        statuses[row["table"]].add(row["status"])
    for table, model in published.MODELS.items():
        expected = {"run"} if model == "mobilenetv2" else {"not run: no weights"}
        assert statuses[table] == expected
    assert len(rows) == 46
    printed = capsys.readouterr().out
    assert "resnet50 was not run: its imagenet weights cannot be had here." in printed
    assert "/home/somebody" not in json.dumps(results) + printed


def test_from_random_weights_is_labelled_so(
    write_manifest, trained, weights_file, tmp_path, monkeypatch, capsys
):
    from kerasfaces import sample

    monkeypatch.setattr(sample, "make", lambda folder: write_manifest())
    words = ["kabber2023", "--quick", "-o", str(tmp_path / "out")]
    words += ["--weights", f"mobilenetv2={weights_file}", "--weights", "resnet50=none"]
    assert main(words) == 0
    paper, whole = (request.config for request in trained)
    assert (paper.batch_size, whole.batch_size, whole.epochs) == (32, 32, 1)
    assert "resnet50: plumbing only, trained from random weights for 1 epoch" in (
        capsys.readouterr().out
    )


def test_reals_alone_with_labels_give_false_alarm_rates(run):
    results = run(labelled=("real",), attributes=("attr_gender", "attr_glasses"))
    table = lines(results, "table 6")
    assert table["race: asian", "accuracy"]["status"] == "not run: no labels"
    assert ("race: asian", "false_alarm_rate") not in table
    woman = table["gender: woman", "false_alarm_rate"]
    assert (woman["status"], woman["published"]) == ("run", None)
    assert table["gender: woman", "accuracy"]["status"] == "not run: no labels"
    assert table["gender: woman", "accuracy"]["published"] == 0.87
    assert 0 <= woman["ours"]["low"] <= woman["ours"]["value"] <= woman["ours"]["high"]


def test_table_2_is_the_reals_as_they_are_and_as_chosen(run):
    table = lines(run(), "table 2")
    woman = table["gender: woman", "share"]["ours"]
    assert (woman["value"], woman["n"]) == (0.5, 120)  # every second real of 120
    chosen = table["gender: woman", "share when chosen"]
    assert chosen["published"] == 0.41
    assert chosen["ours"]["low"] <= chosen["ours"]["value"] <= chosen["ours"]["high"]
    assert len(table) == 22
    stated = {(g.column, g.values[0]): g.ratio for g in published.GROUPS}
    for ratio in KABBER2023:
        for value, share in ratio.shares.items():
            assert stated[ratio.attribute, value] == share


def test_a_category_that_the_annotator_has_no_class_for_is_said(run, tmp_path, capsys):
    counts = np.diag([9, 9, 9]).tolist()
    matrix = {"classes": ["asian", "black", "white"], "counts": counts}
    entry = {"annotator": "gear", "confusion": matrix}
    path = tmp_path / "annotators.json"
    path.write_text(json.dumps({"attributes": {"attr_race": entry}}))
    run(without=("black", "latino_hispanic"))
    printed = capsys.readouterr().out
    assert (
        "race: hispanic has no numbers: gear, who labelled the images, kno" in printed
    )
    assert "race: black has no" not in printed  # it has a class, and nobody is of it


def test_a_class_without_a_label_has_no_share(run):
    table = lines(run(attributes=("attr_gender",)), "table 2")
    assert table["race: asian", "share"]["status"] == "not run: no labels"
    assert table["gender: man", "share"]["status"] == "run"


def test_annotators_stand_beside_the_documents(run, tmp_path):
    matrix = {"classes": ["man", "woman"], "counts": [[45, 5], [10, 40]]}
    entry = {"annotator": "gear", "confusion": matrix}
    path = tmp_path / "annotators.json"
    path.write_text(json.dumps({"attributes": {"attr_gender": entry}}))
    table = lines(run(), "annotators")
    gender = table["gender", "accuracy"]
    assert (gender["ours"]["value"], gender["ours"]["n"]) == (0.85, 100)
    assert gender["published"] == 0.91
    assert table["race", "accuracy"]["status"] == "not run: no labels"


def test_without_any_attribute_no_group_is_run(run):
    results = run(attributes=())
    assert {row["status"] for row in lines(results, "table 6").values()} == {
        "not run: no labels"
    }


def test_several_split_seeds_give_mean_and_sd(run, tmp_path):
    results = run(seeds="0-1")
    row = lines(results, "text")["all", "auc"]
    values = [
        json.loads(
            (tmp_path / f"out/mobilenetv2/split-{seed}/metrics.json").read_text()
        )
        for seed in (0, 1)
    ]
    aucs = [each["metrics"]["test"]["all"]["auc"]["value"] for each in values]
    assert row["ours"]["values"] == pytest.approx(aucs)
    assert row["ours"]["value"] == pytest.approx(np.mean(aucs))
    assert row["ours"]["sd"] == pytest.approx(np.std(aucs, ddof=1))


def test_a_group_in_some_splits_alone_is_told_by_those(run, monkeypatch):
    calls = itertools.count()

    def group(*arguments):
        return real(*arguments) if next(calls) % 2 == 0 else None

    real = measured.group
    monkeypatch.setattr(measured, "group", group)
    table = lines(run(seeds="0-1"), "table 6")
    assert {tuple(row["ours"]["seeds"]) for row in table.values()} == {(0,)}


def test_the_split_has_the_documents_ratio(run, tmp_path):
    run()
    text = (tmp_path / "out/splits/64-16-20-seed-0.csv").read_text(encoding="utf-8")
    counts = [text.count(f",{name},") for name in ("train", "val", "test")]
    assert counts == pytest.approx([154, 38, 48], abs=1)


def test_table_5_agrees_with_scikit_learn():
    from sklearn.metrics import classification_report

    c = Confusion(hits=30, misses=10, alarms=15, passes=45)
    truth = [1] * 40 + [0] * 60
    called = [1] * 30 + [0] * 10 + [1] * 15 + [0] * 45
    report = classification_report(truth, called, output_dict=True)
    names = {"precision": "precision", "recall": "recall", "f1": "f1-score"}
    for row, theirs in (("real", report["0"]), ("overall", report["macro avg"])):
        for metric, name in names.items():
            found = class_report(c, row, metric)
            assert found.value == pytest.approx(theirs[name])
            assert found.low < found.value < found.high
        assert class_report(c, row, "support").value == theirs["support"]


def test_nothing_called_real_has_no_precision():
    c = Confusion(hits=40, misses=0, alarms=60, passes=0)
    assert np.isnan(class_report(c, "real", "precision").value)
    assert np.isnan(class_report(c, "overall", "precision").value)


def test_confusion_cells_are_images():
    c = Confusion(hits=30, misses=10, alarms=15, passes=45)
    found = {
        (row, called): measured._count(c, row, f"called {called}")
        for row in ("real", "fake")
        for called in ("real", "fake")
    }
    assert {key: each.value for key, each in found.items()} == {
        ("real", "real"): 45,
        ("real", "fake"): 15,
        ("fake", "real"): 10,
        ("fake", "fake"): 30,
    }
    assert found["real", "real"].n == 60
    assert found["fake", "fake"].low < 30 < found["fake", "fake"].high


@pytest.mark.slow
def test_both_models_train_from_files_and_report(tiny_images, tiny_weights, tmp_path):
    import keras

    keras.utils.set_random_seed(0)
    resnet50 = tmp_path / "resnet50.weights.h5"
    keras.applications.ResNet50(include_top=False, weights=None).save_weights(resnet50)
    manifest = tmp_path / "manifest.csv"
    paths = sorted(tiny_images.rglob("*.png"))
    text = [f"{path},{path.parts[-3]},{path.parts[-2]}" for path in paths]
    manifest.write_text("\n".join(["path,label,source", *text]), encoding="utf-8")
    out = tmp_path / "out"
    words = ["kabber2023", "--manifest", str(manifest), "-o", str(out), "--seeds", "0"]
    words += ["--weights", f"mobilenetv2={tiny_weights}"]
    assert main([*words, "--weights", f"resnet50={resnet50}"]) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert {row["status"] for row in lines(results, "table 7").values()} == {"run"}
    assert results["weights"]["resnet50"]["file"] == "resnet50.weights.h5"
    for model in ("mobilenetv2", "resnet50"):
        assert (out / model / "split-0" / "report.html").exists()


@pytest.mark.slow
def test_quick_on_the_sample(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["kabber2023", "--quick", "-o", str(out)]) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    table = lines(results, "table 6")
    assert {row["status"] for row in table.values()} == {"run"}
    assert {metric for _, metric in table} == {"accuracy"}
    assert "the numbers say nothing about real photos" in capsys.readouterr().out
