"""tian2023: every published number has its row; what is not there says so."""

import json

import pytest
from result_rows import lines

from experiments.__main__ import main
from experiments.tian2023 import experiment, published


@pytest.fixture
def run(run_experiment, write_generators, weights_file):
    """Run the experiment on made-up predictions; returns results.json."""

    def run(counts, *more, **options):
        weights = f"mobilenetv2={weights_file}"
        return run_experiment(
            "tian2023", write_generators(counts, **options), "--weights", weights, *more
        )

    return run


def test_every_published_number_has_one_row(run):
    results = run({"stylegan": 140, "diffusion": 70}, cameras=2)
    found = [
        (row["table"], row["row"], row["metric"])
        for row in results["rows"]
        if row["published"] is not None and row["table"] != "differences"
    ]
    assert sorted(found) == sorted(published.VALUES)
    assert {row["table"] for row in results["rows"]} == set(experiment.TITLES)
    table = lines(results, "result")
    assert table[published.MODEL, "auc"]["status"] == "not run: no weights"
    assert table[published.MODEL, "auc"]["published"] == 0.92
    assert table[experiment.RANDOM, "auc"]["published"] is None
    del table[published.MODEL, "auc"]
    assert {row["status"] for row in table.values()} == {"run"}


def test_with_its_weights_the_documents_model_is_its_preset(run, trained, weights_file):
    from kerasfaces.train import config as configs

    results = run({"stylegan": 140}, "--weights", f"resnet50_convstack={weights_file}")
    row = lines(results, "result")[published.MODEL, "auc"]
    assert row["status"] == "run"
    asked = {request.folder.parent.name: request for request in trained}
    model = asked["resnet50_convstack"]
    assert model.config == configs.preset("tian2023", "resnet50_convstack")
    assert model.weights == str(weights_file)
    random = asked["resnet50_convstack-random"]
    assert random.weights == "none"
    assert random.config.model.size_px == experiment.RANDOM_PX
    differences = lines(results, "differences")
    gain = differences[f"{published.MODEL} - baseline, split 0", "auc difference"]
    assert gain["published"] == 0.3


def test_the_rival_is_tested_on_generators_it_has_not_seen(run, trained):
    results = run({"stylegan": 140, "diffusion": 70})
    table = lines(results, "conclusion")
    assert table["aggregated CNNs, as trained", "accuracy"]["published"] == 0.99
    assert table["stylegan > the others", "auc"]["status"] == "run"
    assert (
        table["stylegan > stylegan", "auc"]["ours"]["n"]
        > (table["stylegan > the others", "auc"]["ours"]["n"])
    )
    (asked,) = [r for r in trained if r.folder.parent.name.endswith("-stylegan")]
    rows = asked.manifest.rows
    assert set(rows[rows["split"] == "train"]["source"]) == {"camera", "stylegan"}


def test_each_camera_meets_all_fakes(run):
    results = run({"stylegan": 140}, cameras=2)
    table = lines(results, "cameras")
    name = "baseline (logistic): camera_{}"
    assert table[name.format(0), "auc"]["ours"]["n"] < 60
    counts = [table[name.format(i), "auc"]["ours"]["n"] for i in (0, 1)]
    whole = lines(results, "result")["baseline (logistic)", "auc"]["ours"]["n"]
    fakes = 20
    assert sum(counts) - fakes == whole


def test_with_one_generator_there_is_no_other(run):
    results = run({"stylegan": 140})
    row = lines(results, "conclusion")["on other generators", "auc"]
    assert row["status"] == "not run: no such generator"
    assert not lines(results, "generators")


def test_the_document_contradicts_itself_where_the_readme_says_so():
    assert 70_000 + 30_000 + 30_000 != published.VALUES["data", "real", "images"]
    assert 8_505 + 6_350 + 676 != 15_076


@pytest.mark.slow
def test_quick_on_the_sample(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["tian2023", "--quick", "-o", str(out)]) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    statuses = {row["status"] for row in results["rows"]}
    assert statuses <= {"run", "not run: no weights"}
    for (row, metric), each in lines(results, "result").items():
        assert each["ours"]["value"] is not None or row == published.MODEL, metric
    assert "the numbers say nothing about real photos" in capsys.readouterr().out
