"""HoG + SVM: sizes by hand, and the command's run folder."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from kerasfaces.baselines.zoo import hog_svm
from kerasfaces.cli.train import main
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json
from kerasfaces.run.folder import DetectorRun

pytest.importorskip("skimage")


def test_grey_128_px_has_8100_features():
    model = hog_svm.HogSvm()
    assert model.n_features == (15 * 15) * (2 * 2) * 9
    image = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    assert hog_svm.histograms(model, image).shape == (8100,)


@pytest.mark.parametrize(
    ("cell", "block", "bins", "side"), [(6, 3, 5, 40), (8, 1, 9, 33)]
)
def test_feature_count_of_other_settings(cell, block, bins, side):
    model = hog_svm.HogSvm(
        size_px=side, cell_px=cell, block_cells=block, orientations=bins
    )
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    assert hog_svm.histograms(model, image).shape == (model.n_features,)


def test_a_ramp_has_its_gradient_s_direction():
    """Brightness growing to the right: all weight in the bin of horizontal gradients."""
    model = hog_svm.HogSvm(size_px=32)
    ramp = np.tile(np.arange(32, dtype=np.uint8) * 8, (32, 1))
    found = hog_svm.histograms(model, np.stack([ramp] * 3, axis=-1))
    bins = found.reshape(-1, 9).sum(axis=0)
    assert bins.argmax() == 0
    np.testing.assert_allclose(bins[1:], 0, atol=1e-9)


def test_grey_is_the_luma_of_bt601():
    red = np.zeros((32, 32, 3), np.uint8)
    red[:, 16:] = [255, 0, 0]
    grey = np.zeros_like(red)
    grey[:, 16:] = round(0.299 * 255)
    model = hog_svm.HogSvm(size_px=32)
    np.testing.assert_allclose(
        hog_svm.histograms(model, red), hog_svm.histograms(model, grey), atol=1e-3
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cell_px": 0}, r"model\.cell_px: expected at least 1"),
        ({"cell_px": 80}, r"a block of 2 cells of 80 px does not fit into 128 px"),
        ({"penalty": 0.0}, r"model\.penalty: expected more than 0"),
        ({"size_px": 8}, r"model\.size_px: expected 32\.\.4096, got 8"),
    ],
)
def test_ranges(changes, words):
    with pytest.raises(InputError, match=words):
        dataclasses.replace(hog_svm.HogSvm(), **changes)


@pytest.mark.tf
def test_the_command_makes_a_run_that_evaluate_understands(
    tiny_manifest, tmp_path, capsys
):
    from kerasfaces.cli.evaluate import main as evaluate

    run, manifest = tmp_path / "run", str(tmp_path / "manifest.csv")
    words = ["--manifest", manifest, "--model", "hog_svm", "-o", str(run)]
    words += ["--set", "model.size_px=48"]
    assert main(words) == 0
    assert "AUC" in capsys.readouterr().out
    metrics = read_json(run / "metrics.json")["metrics"]["test"]["all"]
    assert metrics["auc"]["value"] > 0.9
    assert read_json(run / "training.json")["parameters"] == 5 * 5 * 4 * 9 + 1
    assert evaluate([str(run), "--manifest", manifest]) == 0
    stored = pd.read_csv(run / "predictions_test.csv")
    again = pd.read_csv(next(run.glob("evaluations/*/predictions_test.csv")))
    np.testing.assert_allclose(again["logit"], stored["logit"])
    assert stored["score"].between(0, 1).all()
    with pytest.raises(InputError, match="holds hog_svm, which is no network"):
        DetectorRun(run).network.load()
    before = (run / "model.npz").stat().st_mtime_ns
    assert main(words) == 0
    assert (run / "model.npz").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--preset", "yu2024"], "--preset is for networks; hog_svm is a baseline"),
        (["--unfreeze", "3"], "--unfreeze is for networks"),
        (["--weights", "imagenet"], "--weights imagenet: hog_svm has none"),
        (["--store", "S"], "--store S: hog_svm sees pixels"),
        (["--set", "epochs=3"], "unknown key 'epochs'"),
    ],
)
@pytest.mark.tf
def test_what_networks_have_is_refused(more, words, tiny_manifest, tmp_path):
    command = ["--manifest", str(tmp_path / "manifest.csv"), "--model", "hog_svm"]
    with pytest.raises(InputError, match=words):
        main([*command, "-o", str(tmp_path / "run"), *more])


@pytest.mark.tf
def test_an_unknown_model_is_told_baselines_too(tiny_manifest, tmp_path):
    command = ["--manifest", str(tmp_path / "manifest.csv"), "--model", "hog_svn"]
    with pytest.raises(InputError, match=r"hog_svm.*Did you mean 'hog_svm'"):
        main([*command, "-o", str(tmp_path / "run")])
