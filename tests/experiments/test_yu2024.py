"""yu2024: parts, the cross-generator protocol, and every published number."""

import json

import pytest
from result_rows import lines

from experiments.__main__ import main
from experiments.yu2024 import experiment, published, roles

MIXED = {
    "portrait_gan": 100,
    "progan": 60,
    "stable_diffusion_2_1": 80,
    "stylegan": 200,
}


@pytest.fixture
def run(run_experiment, write_generators, weights_file):
    """Run the experiment on made-up predictions; returns results.json."""

    def run(counts, *more):
        weights = f"mobilenetv2={weights_file}"
        return run_experiment(
            "yu2024", write_generators(counts, 500, 2), "--weights", weights, *more
        )

    return run


def test_every_published_number_has_one_row(run):
    results = run(MIXED)
    found = [
        (row["table"], row["row"].partition(":")[0], row["metric"])
        for row in results["rows"]
        if row["published"] is not None
    ]
    assert sorted(found) == sorted(published.VALUES)
    assert {row["table"] for row in results["rows"]} == set(experiment.TITLES)
    baselines = lines(results, "baselines")
    assert baselines["HoG + SVM", "accuracy"]["status"] == "run"
    assert baselines["ResNet-18", "accuracy"]["status"] == "not run: no weights"
    assert baselines["ResNet-18, random", "accuracy"]["status"] == "run"
    assert {row["status"] for row in lines(results, "across").values()} == {
        "not run: no weights"
    }
    assert {row["status"] for row in lines(results, "ours").values()} == {"run"}


def test_parts_of_the_mixed_set(run, trained):
    results = run(MIXED)
    asked = {request.folder.parent.name: request for request in trained}
    for name in ("mobilenetv2", "modified_cnn", "deit_tiny_224"):
        rows = asked[f"{name}-on-gans"].manifest.rows
        train = set(rows[rows["split"] == "train"]["source"])
        assert train == {"camera_0", "camera_1", "portrait_gan", "progan", "stylegan"}
        assert "stable_diffusion_2_1" in set(rows[rows["split"] == "test"]["source"])
    shares = asked["modified_cnn-on-shares"].manifest.rows
    counts = shares[shares["split"] == "train"]["source"].value_counts()
    assert counts["camera_0"] + counts["camera_1"] == counts[list(MIXED)].sum() == 352
    types = lines(results, "types")
    assert types["DreamBooth: stable_diffusion_2_1", "precision"]["status"] == "run"
    assert types["DreamBooth: stable_diffusion_2_1", "support"]["ours"]["value"] == 8
    assert types["LoRA", "precision"]["status"] == "not run: no such generator"
    assert types["stylegan", "f1"]["published"] is None
    assert "stable_diffusion_2_1 in place of DreamBooth." in " ".join(results["notes"])
    assert asked["hog_svm"].config.model.name == "hog_svm"
    assert asked["hog_svm"].weights == "none"


def test_without_diffusion_there_is_self_and_nothing_foreign(run):
    results = run({"stylegan": 200})
    cross = lines(results, "ours")
    assert cross["modified CNN, self", "auc"]["status"] == "run"
    assert cross["modified CNN, foreign", "accuracy"]["status"] == (
        "not run: no such generator"
    )


def test_without_gans_nothing_is_crossed(run, trained):
    results = run({"stable_diffusion_2_1": 200})
    assert {row["status"] for row in lines(results, "ours").values()} == {
        "not run: no such generator"
    }
    assert not [r for r in trained if r.folder.parent.name.endswith("-on-gans")]


def test_the_split_has_the_documents_ratio_and_seed(run, tmp_path):
    run({"stylegan": 200})
    text = (tmp_path / "out/splits/8-1-1-seed-0.csv").read_text(encoding="utf-8")
    counts = [text.count(f",{name},") for name in ("train", "val", "test")]
    assert counts == pytest.approx([560, 70, 70], abs=2)


@pytest.mark.parametrize(
    ("names", "gans", "diffusion", "types", "neither"),
    [
        (
            ["DreamBooth", "LoRA", "StyleGAN", "StyleGAN2"],
            ("StyleGAN", "StyleGAN2"),
            ("DreamBooth", "LoRA"),
            {"DreamBooth": "DreamBooth", "LoRA": "LoRA"},
            (),
        ),
        (
            ["lora", "midjourney", "progan"],
            ("progan",),
            ("lora", "midjourney"),
            {"DreamBooth": "midjourney", "LoRA": "lora"},
            (),
        ),
        (["insight", "stylegan"], ("stylegan",), (), {}, ("insight",)),
        (
            ["bilinear_conv", "nearest_conv", "transposed_conv", "vae8x"],
            ("bilinear_conv", "nearest_conv", "transposed_conv"),
            ("vae8x",),
            {"DreamBooth": "vae8x"},
            (),
        ),
    ],
)
def test_casting(names, gans, diffusion, types, neither):
    found = roles.cast(names)
    assert found.gans == gans
    assert found.diffusion == diffusion
    assert found.types == types
    assert found.neither == neither
    assert all(name in found.notes[0] for name in names)


def test_the_foreign_line_is_of_real():
    line = {
        metric: published.VALUES["across", "DeiT, foreign", metric]
        for metric in published.LINE
    }
    sizes = {"n": published.REALS, "n_other": published.SUPPORT}
    of_real = published.implied_accuracy(line["precision"], line["recall"], **sizes)
    assert of_real == pytest.approx(line["accuracy"], abs=0.005)
    of_fake = published.implied_accuracy(
        line["precision"], line["recall"], sizes["n_other"], sizes["n"]
    )
    assert abs(of_fake - line["accuracy"]) > 0.04


@pytest.mark.slow
def test_quick_on_the_sample(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["yu2024", "--quick", "-o", str(out)]) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    for row in results["rows"]:
        if row["status"] != "run":
            assert row["status"] in (
                "not run: no weights",
                "not run: no such generator",
            )
        elif row["metric"] in ("auc", "accuracy"):
            assert row["ours"]["value"] is not None
    assert "the numbers say nothing about real photos" in capsys.readouterr().out
