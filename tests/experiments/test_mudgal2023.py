"""mudgal2023: all generators against each, in equal shares; every published number."""

import json

import pytest
from result_rows import lines

from experiments.__main__ import main
from experiments.mudgal2023 import experiment, published

COUNTS = {"stylegan": 280, "portrait_gan": 140, "diffusion": 70}


@pytest.fixture
def run(run_experiment, write_generators, weights_file):
    """Run the experiment on made-up predictions; returns results.json."""

    def run(counts, *more):
        weights = f"mobilenetv2={weights_file}"
        return run_experiment(
            "mudgal2023", write_generators(counts, 560), "--weights", weights, *more
        )

    return run


def trained_on(request):
    rows = request.manifest.rows
    return rows[rows["split"] == "train"]["source"].value_counts().to_dict()


def test_every_published_number_has_one_row(run):
    results = run(COUNTS)
    found = [
        (row["table"], row["row"], row["metric"])
        for row in results["rows"]
        if row["published"] is not None
    ]
    assert sorted(found) == sorted(published.VALUES)
    assert {row["table"] for row in results["rows"]} == set(experiment.TITLES)
    result = lines(results, "result")
    assert {row["status"] for row in result.values()} == {"not run: no weights"}
    ours = lines(results, "ours")
    assert ours["deit_tiny, stylegan alone", "auc"]["status"] == "run"
    assert ours["ViT, all", "auc"]["status"] == "not run: no weights"


def test_shares_are_equal_and_alone_differs_in_generators_only(run, trained):
    results = run(COUNTS)
    asked = {request.folder.parent.name: trained_on(request) for request in trained}
    # 200, 100 and 50 training images; a share is what the smallest with 100 can give
    assert asked["mobilenetv2-on-all"] == {
        "camera": 250,
        "stylegan": 100,
        "portrait_gan": 100,
        "diffusion": 50,
    }
    assert asked["mobilenetv2-on-stylegan_alone"] == {"camera": 100, "stylegan": 100}
    assert asked["mobilenetv2-on-diffusion_alone"] == {"camera": 50, "diffusion": 50}
    assert sum(asked["mobilenetv2-on-all_one_share"].values()) == 200
    assert set(asked["deit_tiny_224-on-all"]) == set(asked["mobilenetv2-on-all"])
    assert any(
        "stylegan 100, " in note or "stylegan 100;" in note for note in results["notes"]
    )
    for request in trained:
        rows = request.manifest.rows
        assert set(rows[rows["split"] == "test"]["source"]) == {"camera", *COUNTS}


def test_all_minus_alone_is_paired_and_bias_is_told(run):
    results = run(COUNTS)
    differences = lines(results, "differences")
    ours = lines(results, "ours")
    found = differences["ours, all - stylegan, split 0", "auc difference"]["ours"]
    first = ours["ours, all", "auc"]["ours"]["value"]
    second = ours["ours, stylegan alone", "auc"]["ours"]["value"]
    assert found["value"] == pytest.approx(first - second)
    assert 0 < found["p_value"] <= 1
    bias = lines(results, "bias")
    assert ("ours, stylegan alone, on the others", "auc") in bias
    assert ("ours, all, on the others", "auc") not in bias


def test_with_its_weights_and_its_generator_the_documents_lines_are_run(
    run, trained, weights_file
):
    from kerasfaces.train import config as configs

    counts = {"stylegan": 140, "iFakeFaceDB": 140}
    results = run(counts, "--weights", f"deit_base_384={weights_file}")
    result = lines(results, "result")
    assert {row["status"] for row in result.values()} == {"run"}
    asked = {request.folder.parent.name: request for request in trained}
    alone = asked["deit_base_384-on-iFakeFaceDB_alone"]
    assert alone.config == configs.preset("mudgal2023", "deit_base_384")
    assert trained_on(alone) == {"camera": 100, "iFakeFaceDB": 100}


def test_with_its_weights_and_without_its_generator_it_says_so(run, weights_file):
    results = run(COUNTS, "--weights", f"deit_base_384={weights_file}")
    result = lines(results, "result")
    assert result["deit", "auc"]["status"] == "run"
    assert result["deit_iFakeFaceDB", "auc"]["status"] == "not run: no such generator"


def test_one_generator_is_all_there_is(run, trained):
    results = run({"stylegan": 140})
    assert not lines(results, "differences")
    assert any("all together and alone are the same" in n for n in results["notes"])
    assert {request.folder.parent.name for request in trained} == {
        "mobilenetv2-on-all",
        "deit_tiny_224-on-all",
    }


def test_the_documents_numbers_are_of_real_and_its_auroc_is_balanced_accuracy():
    for accuracy, precision, recall, auroc, f1 in published.LINES.values():
        said = published.implied(accuracy, precision, recall)
        assert said.balanced_accuracy == pytest.approx(auroc, abs=1e-5)
        assert said.share_of_real == pytest.approx(0.5405, abs=1e-4)
        assert 2 * precision * recall / (precision + recall) == pytest.approx(
            f1, abs=1e-5
        )


@pytest.mark.slow
def test_quick_on_the_sample(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["mudgal2023", "--quick", "-o", str(out)]) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    for row in results["rows"]:
        assert row["status"] in ("run", "not run: no weights")
        if row["metric"] == "auc" and row["status"] == "run":
            assert row["ours"]["value"] is not None
    assert "the numbers say nothing about real photos" in capsys.readouterr().out
