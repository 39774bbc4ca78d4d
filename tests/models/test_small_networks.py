"""tian2023's and yu2024's small networks: their sizes by hand, and that they learn."""

import dataclasses
import math

import keras
import numpy as np
import pandas as pd
import pytest

from kerasfaces.cli.train import main
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json
from kerasfaces.models import catalogue, layers, network
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.models.network import build_head
from kerasfaces.models.zoo import (
    aggregated_cnns,
    modified_cnn,
    resnet50_convstack,
    two_layer_cnn,
)
from kerasfaces.train import config as configs

pytestmark = pytest.mark.tf


def default(name, **changes):
    return dataclasses.replace(configs.default(name).model, **changes)


def built(config, seed=0):
    return catalogue.load(config.name).build(config, None, seed)


def numpy_of(values):
    return keras.ops.convert_to_numpy(values)


def pixels(n=3, size_px=32, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (n, size_px, size_px, 3)).astype(np.float32)


def test_logistic_regression_has_a_weight_per_value_and_a_bias():
    assert built(default("logistic_regression")).count_params() == 128 * 128 * 3 + 1


def test_logistic_regression_is_one():
    model = built(default("logistic_regression", size_px=32), seed=3)
    images = pixels()
    kernel, bias = (numpy_of(w) for w in model.get_layer("head").weights)
    by_hand = (images / 127.5 - 1).reshape(3, -1).astype(np.float64) @ kernel + bias
    np.testing.assert_allclose(numpy_of(model(images)), by_hand, atol=1e-4)


def test_logistic_regression_takes_no_weights():
    plugin = catalogue.load("logistic_regression")
    assert plugin.find_weights("none") is None
    with pytest.raises(
        InputError, match="`weights='imagenet'`: logistic regression has"
    ):
        plugin.find_weights("imagenet")


def dense(n_in, n_out):
    return n_in * n_out + n_out


def test_two_layer_cnn_has_the_weights_of_its_description():
    side = 128 // 4
    wanted = sum(9 * a * b + b for a, b in ((3, 32), (32, 32), (32, 64), (64, 64)))
    wanted += dense(side * side * 64, 128) + dense(128, 1)
    model = built(default("two_layer_cnn"))
    assert model.count_params() == wanted
    kinds = [type(x).__name__ for x in network.base_of(model).layers[1:]]
    assert kinds == ["Conv2D", "Conv2D", "MaxPooling2D"] * 2


@pytest.mark.parametrize(
    ("count", "first", "kernel"), [(4, 32, 2), (5, 32, 2), (3, 8, 3)]
)
def test_modified_cnn_has_the_weights_of_its_description(count, first, kernel):
    options = modified_cnn.Options(layers=count, filters=first, kernel_px=kernel)
    maps = [3, *(first * 2**i for i in range(count))]
    wanted = sum(
        (kernel + i) ** 2 * maps[i] * maps[i + 1] + maps[i + 1] for i in range(count)
    )
    side = 128 // 2**count
    for a, b in ((side * side * maps[-1], 256), (256, 128), (128, 64), (64, 2)):
        wanted += dense(a, b)
    assert built(default("modified_cnn", options=options)).count_params() == wanted


def test_modified_cnn_refuses_more_pools_than_the_image_has_halves():
    wrong = default("modified_cnn", size_px=32, options=modified_cnn.Options(layers=6))
    with pytest.raises(InputError, match="32 px cannot be halved 6 times"):
        built(wrong)


def test_the_logit_of_two_units_is_that_of_the_softmax():
    head = build_head(5, HeadConfig(standardize=False, output="softmax"), seed=1)
    features = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    scores = keras.Model(head.input, head.get_layer("real_fake").output)(features)
    fake = numpy_of(keras.ops.softmax(scores))[:, 1:]
    logit = numpy_of(head(features))
    np.testing.assert_allclose(1 / (1 + np.exp(-logit)), fake, atol=1e-6)


def test_average_is_the_mean_and_has_no_weights():
    head = build_head(3, HeadConfig(standardize=False, output="average"))
    assert head.count_params() == 0
    np.testing.assert_allclose(
        numpy_of(head(np.array([[1.0, 2, 6]], np.float32))), [[3.0]]
    )
    with pytest.raises(InputError, match="average has no weights"):
        HeadConfig(units=(2,), output="average")


def test_a_vote_is_the_surest_place_of_the_side_that_wins():
    maps = np.array([[[[-3.0, -3]], [[0.5, -1]]]], np.float32)
    np.testing.assert_array_equal(numpy_of(layers.Vote()(maps)), [[0.5, -3.0]])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((modified_cnn, name) for name in ("layers", "filters", "kernel_px")),
        *((aggregated_cnns, name) for name in ("networks", "filters")),
        (two_layer_cnn, "filters"),
        (resnet50_convstack, "filters"),
    ],
)
def test_sizes_below_one_are_refused(kind, name):
    with pytest.raises(
        InputError, match=rf"model\.options\.{name}: expected at least 1"
    ):
        kind.Options(**{name: 0})


PRESETS = {
    "logistic_regression": "tian2023",
    "two_layer_cnn": "tian2023",
    "modified_cnn": "yu2024",
}


@pytest.mark.parametrize(("name", "preset"), PRESETS.items())
def test_default_configuration_is_the_document_s_preset(name, preset):
    assert configs.default(name) == configs.preset(preset, name)
    with pytest.raises(InputError, match=rf"{preset}'` describes .*not 'mobilenetv2'"):
        configs.preset(preset, "mobilenetv2")
    with pytest.raises(InputError, match=f"{name} takes pixels, rgb; got lnp"):
        built(ModelConfig(name=name, inputs=("lnp",)))


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_trains_through_the_command_and_evaluates(name, tiny_manifest, tmp_path):
    from kerasfaces.cli.evaluate import main as evaluate

    run, manifest = tmp_path / "run", str(tmp_path / "manifest.csv")
    words = ["--manifest", manifest, "--model", name, "-o", str(run)]
    words += ["--set", "model.size_px=32", "--set", "epochs=2"]
    assert main(words) == 0
    history = pd.read_csv(run / "history.csv")
    assert len(history) == 2
    assert history["loss"].map(math.isfinite).all()
    assert evaluate([str(run), "--manifest", manifest]) == 0
    stored = pd.read_csv(run / "predictions_test.csv")["logit"]
    again = pd.read_csv(next(run.glob("evaluations/*/predictions_test.csv")))["logit"]
    np.testing.assert_allclose(again, stored, atol=1e-5)
    assert read_json(run / "config.json")["weights"] is None


@pytest.mark.slow
def test_two_layer_cnn_learns_that_real_images_carry_noise(tiny_manifest, tmp_path):
    run = tmp_path / "run"
    words = ["--manifest", str(tmp_path / "manifest.csv"), "--model", "two_layer_cnn"]
    words += ["--set", "model.size_px=48", "--set", "epochs=20", "-o", str(run)]
    assert main([*words, "--set", "batch_size=8"]) == 0
    metrics = read_json(run / "metrics.json")["metrics"]["test"]["all"]
    assert metrics["auc"]["value"] > 0.9
