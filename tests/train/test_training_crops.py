"""Crops at native resolution, from the command to predictions and an exported file."""

import dataclasses

import keras
import numpy as np
import pandas as pd
import pytest
from tiny_runs import settings, train_tiny, write_manifest

from kerasfaces import images
from kerasfaces.cli.train import main
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json
from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.features.cached import base_recipe
from kerasfaces.features.extraction import View
from kerasfaces.images import InputSpec
from kerasfaces.models import catalogue, network
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.zoo.mobilenetv2 import Options
from kerasfaces.train import config as train_configs
from kerasfaces.train import end_to_end

pytestmark = pytest.mark.tf
CONFIG = ModelConfig(
    size_px=32,
    taps=("block_3_expand_relu", "block_6_expand_relu"),
    pooling="mean_std",
    options=Options(alpha=0.35),
)


def array(values):
    return keras.ops.convert_to_numpy(values)


def built(config=CONFIG):
    return catalogue.load(config.name).build(config, None, 0)


def test_features_are_the_mean_of_those_of_each_crop():
    whole, crops = built(), built(dataclasses.replace(CONFIG, crops=3))
    assert crops.input_shape == (None, 96, 32, 3)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 96, 32, 3)).astype("float32")
    found = array(network.extractor_of(crops)(pixels, training=False))
    single = network.extractor_of(whole)
    wanted = [
        np.mean(array(single(image.reshape(3, 32, 32, 3), training=False)), axis=0)
        for image in pixels
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-7)
    assert np.ptp(found, axis=0).max() > 1e-4


def test_a_view_changes_every_crop_alike():
    batch = np.random.default_rng(0).integers(0, 256, (2, 96, 32, 3)).astype(np.uint8)
    view = View(number=1, augment=AugmentConfig(rotation_deg=90.0, zoom=0.3))
    keys = ["0" * 64, "f" * 64]
    changed = view.of(batch, keys).reshape(2, 3, 32, 32, 3)
    for crop in range(3):
        alone = batch.reshape(2, 3, 32, 32, 3)[:, crop]
        np.testing.assert_allclose(changed[:, crop], view.of(alone, keys), atol=1e-3)


def test_features_of_whole_pictures_keep_their_names_in_the_cache():
    from kerasfaces.core import config as configs

    whole = configs.to_dict(CONFIG)
    before = {key: value for key, value in whole.items() if key != "crops"}
    weights = {"sha256": "0"}
    assert base_recipe(whole, weights) == base_recipe(before, weights)
    crops = configs.to_dict(dataclasses.replace(CONFIG, crops=2))
    assert base_recipe(crops, weights) != base_recipe(whole, weights)


def test_where_everything_is_trained_crops_are_refused():
    config = train_configs.TrainConfig(model=dataclasses.replace(CONFIG, crops=2))
    with pytest.raises(InputError, match="crops: crops are for a frozen base"):
        end_to_end.check(config, None)
    with pytest.raises(InputError, match="crops: crops are for frozen bases; de"):
        catalogue.load("densenet121").build(ModelConfig(name="densenet121", crops=2))
    with pytest.raises(InputError, match="crops: squares are cut from pictures"):
        ModelConfig(inputs=("lnp",), crops=2)


@pytest.fixture(scope="module")
def run(tiny_images, tiny_weights, tmp_path_factory):
    """A run on three crops of 40 px from pictures of 48 px."""
    root = tmp_path_factory.mktemp("crops")
    manifest = write_manifest(root, tiny_images, 24, 6)
    words = ["model.size_px=40", "model.scales=1", "model.taps=block_3_expand_relu"]
    words = settings("epochs=2", *words)
    return train_tiny(manifest, tiny_weights, "--crops", "3", *words)


@pytest.mark.slow
def test_command_predicts_evaluates_and_exports(run, tiny_images, capsys, tmp_path):
    from kerasfaces.cli.evaluate import main as evaluate
    from kerasfaces.cli.export import main as export
    from kerasfaces.cli.predict import main as predict

    assert read_json(run / "config.json")["train"]["model"]["crops"] == 3
    assert read_json(run / "input_spec.json")["input"]["crops"] == 3
    table = pd.read_csv(run / "predictions_test.csv")
    photo = table["path"][0]
    capsys.readouterr()
    assert predict([str(run), photo, "--csv", str(tmp_path / "out.csv")]) in (0, 3, 4)
    logit = pd.read_csv(tmp_path / "out.csv")["logit"][0]
    assert logit == pytest.approx(table["logit"][0], abs=1e-3)
    from kerasfaces.run.folder import DetectorRun

    spec = InputSpec(size_px=40, crops=3)
    pixels = images.load_array(tiny_images / "real/camera/30.png", spec)
    model = DetectorRun(run).network.load()
    own = array(model(pixels[None].astype("float32")))[0, 0]
    row = table[table["path"].str.endswith("real/camera/30.png")]["logit"].iloc[0]
    assert own == pytest.approx(row, abs=1e-3)
    assert evaluate([str(run), "--manifest", str(run.parent / "manifest.csv")]) == 0
    assert export([str(run), "--format", "savedmodel"]) == 0
    contract = next(run.rglob("export.json"))
    assert read_json(contract)["input"]["shape"] == [None, 120, 40, 3]


@pytest.mark.slow
def test_an_explanation_is_refused_in_a_sentence(run, tiny_images, tmp_path):
    from kerasfaces.cli.explain import main as explain

    photo = str(tiny_images / "real/camera/30.png")
    with pytest.raises(InputError, match="it averages 3 crops of a picture"):
        explain([str(run), photo, "-o", str(tmp_path)])


@pytest.mark.slow
def test_small_pictures_are_counted_in_the_report(run, tiny_weights, tmp_path, caplog):
    words = ["--manifest", str(run.parent / "manifest.csv"), "--crops", "1"]
    words += ["--weights", str(tiny_weights), "-o", str(tmp_path / "run")]
    words += ["--set", "epochs=1", "--set", "model.size_px=64"]
    assert main([*words, "--set", "model.taps=block_3_expand_relu"]) == 0
    sentence = "72 of 72 pictures are smaller than the 64 px of a crop"
    assert sentence in (tmp_path / "run" / "report.html").read_text()
