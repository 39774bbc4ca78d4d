"""wan2023's compared methods: their transforms by brute force, and that they learn."""

import dataclasses
import json

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.fft

from kerasfaces.cli.train import main
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json
from kerasfaces.models import catalogue, network
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.zoo import autogan_spec, dct_cnn, gragnaniello2021, resnet50
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train import config as configs

pytestmark = pytest.mark.tf
METHODS = ["autogan_spec", "dct_cnn", "gragnaniello2021", "wang2020"]


def pixels(n=3, size_px=32, seed=0):
    """Uneven images: a slope and noise."""
    random = np.random.default_rng(seed)
    slope = np.linspace(0, 120, size_px)[:, None, None]
    noise = random.integers(0, 120, (n, size_px, size_px, 3))
    return (slope + noise).astype(np.uint8)


def numpy_of(values):
    return keras.ops.convert_to_numpy(values)


def test_log_dct_is_scipy_s():
    images = pixels()
    wanted = scipy.fft.dctn(images.astype(np.float64), axes=(1, 2), norm="ortho")
    found = numpy_of(dct_cnn.LogDct()(images))
    np.testing.assert_allclose(
        np.exp(found) - dct_cnn.EPSILON, np.abs(wanted), rtol=1e-4, atol=2e-3
    )


def test_dct_matrix_is_orthonormal():
    matrix = dct_cnn.dct_matrix(24).astype(np.float64)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(24), atol=1e-6)


def test_coefficients_are_standardised_one_by_one():
    images = pixels(40, 16)
    layer = dct_cnn.StandardizeCoefficients()
    coefficients = dct_cnn.LogDct()(images)
    layer(coefficients)
    layer.fit(lambda positions: images[positions], len(images))
    values = numpy_of(layer(coefficients))
    assert values.shape == (40, 16, 16, 3)
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-3)


def test_a_coefficient_that_never_changes_is_only_centred():
    images = np.full((8, 16, 16, 3), 90, np.uint8)
    layer = dct_cnn.StandardizeCoefficients()
    coefficients = dct_cnn.LogDct()(images)
    layer(coefficients)
    layer.fit(lambda positions: images[positions], len(images))
    np.testing.assert_allclose(numpy_of(layer(coefficients)), 0, atol=1e-3)


def test_log_spectrum_is_numpy_s():
    images = pixels()
    planes = np.fft.fft2(images.astype(np.float64) / 255, axes=(1, 2))
    wanted = np.log(np.abs(planes) + 1e-3)
    low, high = np.percentile(wanted, [5, 95], axis=(1, 2), keepdims=True)
    wanted = np.clip(2 * (wanted - low) / (high - low) - 1, -1, 1)
    np.testing.assert_allclose(
        numpy_of(autogan_spec.LogSpectrum()(images)), wanted, atol=1e-3
    )


def test_spectrum_of_a_constant_image_is_finite():
    values = numpy_of(autogan_spec.LogSpectrum()(np.full((1, 16, 16, 3), 90, np.uint8)))
    assert np.isfinite(values).all()
    assert np.abs(values).max() <= 1


def test_spectrum_shows_what_upsampling_repeats():
    """Zeros between pixels (a transposed convolution's first step) copy the spectrum."""
    small = pixels(1, 16)
    large = np.zeros((1, 32, 32, 3), np.uint8)
    large[:, ::2, ::2] = small
    values = numpy_of(autogan_spec.LogSpectrum()(large))
    np.testing.assert_allclose(values[:, :16, :16], values[:, 16:, 16:], atol=1e-4)


@pytest.mark.parametrize("transform", [dct_cnn.LogDct, autogan_spec.LogSpectrum])
def test_transforms_are_the_same_inside_tf_data(transform):
    import tensorflow as tf

    images, layer = pixels(4), transform()
    layer(images)
    mapped = tf.data.Dataset.from_tensor_slices(images).batch(2).map(layer)
    found = np.concatenate(list(mapped.as_numpy_iterator()))
    np.testing.assert_allclose(found, numpy_of(layer(images)), atol=1e-4)


def test_no_down_keeps_every_pixel_up_to_the_second_stage():
    with keras.StatelessScope(initialize_variables=False):  # shapes alone
        full, usual = gragnaniello2021.no_down(), resnet50.full_base()
    sizes = {
        name: [model.get_layer(name) for model in (full, usual)]
        for name in ("conv2_block3_out", "conv5_block3_out")
    }
    side = 64
    for name, factors in {
        "conv2_block3_out": (1, 4),
        "conv5_block3_out": (8, 32),
    }.items():
        for layer, model, factor in zip(
            sizes[name], (full, usual), factors, strict=True
        ):
            part = keras.Model(model.input, layer.output)
            shape = part.compute_output_shape((1, side, side, 3))
            assert shape[1:3] == (side // factor, side // factor)
    assert [w.shape for w in full.weights] == [w.shape for w in usual.weights]


def test_dct_cnn_flattens_every_coefficient():
    config = dataclasses.replace(
        configs.default("dct_cnn").model, size_px=32, name="dct_cnn"
    )
    model = dct_cnn.ARCHITECTURE.build(config)
    assert network.extractor_of(model).output_shape == (None, 8 * 8 * 32)


@pytest.mark.parametrize("name", METHODS)
def test_default_configuration_is_the_method_s_preset(name):
    plugin = catalogue.load(name)
    config = configs.default(name)
    assert config == configs.preset(plugin.training, name)
    assert config.model.name == name
    with pytest.raises(InputError, match=f"describes {name}, not 'resnet50'"):
        configs.preset(plugin.training, "resnet50")


@pytest.mark.parametrize("name", METHODS)
def test_channels_are_refused(name):
    wrong = ModelConfig(name=name, inputs=("lnp",))
    with pytest.raises(InputError, match=f"{name} takes pixels, rgb; got lnp"):
        catalogue.load(name).build(wrong)


def test_liu2022_and_wan2023_are_presets_of_the_channel_model():
    liu = configs.preset("liu2022", "lnp_attention").model
    assert (liu.options.fusion, liu.options.classifier) == ("concat", "resnet50")
    assert liu.channel_names == (
        *("lnp_red", "lnp_green", "lnp_blue"),
        *("amplitude", "phase"),
    )
    wan = configs.preset("wan2023", "lnp_attention").model
    assert wan.options.fusion == "attention_spectra"
    for name in ("liu2022", "wan2023"):
        with pytest.raises(InputError, match="describes lnp_attention"):
            configs.preset(name, "resnet50")


def test_imagenet_weights_nobody_publishes():
    with pytest.raises(InputError, match="Keras publishes none for ResNet-34"):
        catalogue.load("autogan_spec").find_weights("imagenet")


def test_blur_and_jpeg_do_not_go_with_a_frozen_base(
    tiny_manifest, tiny_weights, tmp_path
):
    words = [
        "--manifest",
        str(tmp_path / "manifest.csv"),
        "--weights",
        str(tiny_weights),
    ]
    words += ["--set", "model.size_px=32", "--set", "augment.jpeg=0.5"]
    words += ["--set", "model.taps=block_1_expand_relu", "--set", "epochs=1"]
    with pytest.raises(InputError, match=r"not in front of mobilenetv2's frozen base"):
        main([*words, "-o", str(tmp_path / "run")])


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_trains_and_reloads(name, tiny_manifest, tmp_path):
    run = tmp_path / "run"
    words = ["--manifest", str(tmp_path / "manifest.csv"), "--model", name]
    words += ["--set", "model.size_px=32", "--set", "epochs=2", "-o", str(run)]
    assert main(words) == 0
    assert read_json(run / "config.json")["weights"] is None
    history = pd.read_csv(run / "history.csv")
    assert len(history) == 2
    assert np.isfinite(history["loss"]).all()
    stored = pd.read_csv(run / "predictions_test.csv")
    model = DetectorRun(run).network.load()
    from kerasfaces import images

    spec = json.loads((run / "input_spec.json").read_text())["input"]
    arrays = np.stack(
        [
            images.load_array(path, images.InputSpec(**spec))
            for path, split in zip(
                tiny_manifest.files(), tiny_manifest.rows["split"], strict=True
            )
            if split == "test"
        ]
    )
    logits = numpy_of(model(arrays, training=False))[:, 0]
    np.testing.assert_allclose(logits, stored["logit"], rtol=1e-3, atol=2e-3)


@pytest.mark.slow
def test_dct_cnn_learns_what_noise_leaves_in_the_coefficients(tiny_manifest, tmp_path):
    """Real images of the fixture carry noise, fakes do not: frequencies tell."""
    run = tmp_path / "run"
    words = ["--manifest", str(tmp_path / "manifest.csv"), "--model", "dct_cnn"]
    words += ["--set", "model.size_px=32", "--set", "epochs=20", "-o", str(run)]
    assert main(words) == 0
    metrics = read_json(run / "metrics.json")["metrics"]["test"]["all"]
    assert metrics["auc"]["value"] > 0.9
