"""Base weights: found, identified, loaded strictly; preprocessing as the base expects."""

import json

import keras
import numpy as np
import pytest

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.models import network, weights
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.zoo import mobilenetv2, resnet50

pytestmark = pytest.mark.tf


def array(weight):
    return keras.ops.convert_to_numpy(weight)


def test_width_is_read_from_the_file(tiny_weights):
    found = mobilenetv2.ARCHITECTURE.find_weights(str(tiny_weights))
    assert found.kind == "file"
    assert mobilenetv2.width_of(found) == 0.35


def test_weights_file_reaches_the_tapped_base(tiny_weights):
    found = mobilenetv2.ARCHITECTURE.find_weights(str(tiny_weights))
    config = ModelConfig(
        size_px=32,
        taps=("block_6_expand_relu",),
        options=mobilenetv2.Options(alpha=0.35),
    )
    model = mobilenetv2.ARCHITECTURE.build(config, found, 0)
    full = keras.applications.MobileNetV2(
        input_shape=(None, None, 3), alpha=0.35, include_top=False, weights=None
    )
    full.load_weights(tiny_weights)
    base = network.base_of(model)
    for layer in (layer for layer in base.layers if layer.weights):
        for ours, theirs in zip(
            layer.weights, full.get_layer(layer.name).weights, strict=True
        ):
            np.testing.assert_array_equal(array(ours), array(theirs))


def test_other_width_and_other_architecture_are_refused(tiny_weights, tmp_path):
    found = mobilenetv2.ARCHITECTURE.find_weights(str(tiny_weights))
    shapes_alone = keras.StatelessScope(initialize_variables=False)
    refused = pytest.raises(
        InputError,
        match=r"not weights of mobilenetv2.* without top: .*Give `weights` a",
    )
    with shapes_alone, refused:
        mobilenetv2.ARCHITECTURE.build(
            ModelConfig(size_px=32, options=mobilenetv2.Options(alpha=1.0)), found, 0
        )
    text = tmp_path / "not_weights.h5"
    text.write_text("hello")
    wrong = mobilenetv2.ARCHITECTURE.find_weights(str(text))
    with pytest.raises(InputError, match="not a readable weights file"):
        mobilenetv2.width_of(wrong)
    small = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    small.save_weights(tmp_path / "small.weights.h5")
    wrong = mobilenetv2.ARCHITECTURE.find_weights(str(tmp_path / "small.weights.h5"))
    with pytest.raises(InputError, match="2 arrays are not MobileNetV2 without top"):
        mobilenetv2.width_of(wrong)


def test_npz_is_loaded_by_name_and_strictly(tmp_path):
    config = ModelConfig(size_px=32, options=mobilenetv2.Options(alpha=0.35))
    source = network.base_of(mobilenetv2.ARCHITECTURE.build(config, None, 3))
    arrays = {
        f"{layer.name}/{weight.name}": array(weight).astype(np.float16)
        for layer in source.layers
        for weight in layer.weights
    }
    path = tmp_path / "base.npz"
    np.savez(path, **arrays)
    found = mobilenetv2.ARCHITECTURE.find_weights(str(path))
    base = network.base_of(mobilenetv2.ARCHITECTURE.build(config, found, 0))
    np.testing.assert_allclose(
        array(base.get_layer("Conv1").kernel), arrays["Conv1/kernel"], atol=0
    )
    del arrays["Conv1/kernel"]
    np.savez(path, **arrays)
    with pytest.raises(
        InputError, match=r"Conv1/kernel should be \(3, 3, 3, 16\), found nothing"
    ):
        mobilenetv2.ARCHITECTURE.build(
            config, mobilenetv2.ARCHITECTURE.find_weights(str(path)), 0
        )


def test_missing_file_is_a_sentence():
    with pytest.raises(
        MissingFileError, match=r"`weights='no_such_file'`: no such file. Expected"
    ):
        mobilenetv2.ARCHITECTURE.find_weights("no_such_file")
    with pytest.raises(InputError, match="no such base is shipped for ResNet50"):
        resnet50.ARCHITECTURE.find_weights("forensic")


def test_none_is_none():
    assert mobilenetv2.ARCHITECTURE.find_weights("none") is None


@pytest.mark.parametrize(
    ("plugin", "file"),
    [
        (
            mobilenetv2,
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        ),
        (resnet50, "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    ],
)
def test_imagenet_without_internet_says_which_file_to_put_where(
    plugin, file, tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def no_internet(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(keras.utils, "get_file", no_internet)
    with pytest.raises(
        MissingFileError, match=f"put it at {tmp_path}/models/{file}, or"
    ):
        plugin.ARCHITECTURE.find_weights("imagenet")


def test_imagenet_is_taken_from_the_keras_cache(tmp_path, monkeypatch, tiny_weights):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / name).write_bytes(tiny_weights.read_bytes())
    found = mobilenetv2.ARCHITECTURE.find_weights(
        "imagenet", ModelConfig(options=mobilenetv2.Options(alpha=0.35))
    )
    assert found.kind == "imagenet"
    assert found.describe()["file"] == name


def test_shipped_base_with_a_wrong_hash_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "weights"
    folder.mkdir()
    np.savez(folder / "base.npz", a=np.zeros(1))
    (folder / "base.json").write_text(json.dumps({"sha256": "0" * 64}))
    monkeypatch.setattr(weights.resources, "files", lambda _: tmp_path)
    with pytest.raises(InputError, match=r"SHA-256 is .*, expected 000"):
        weights.Sources("MobileNetV2", shipped="base.npz").find("forensic")


@pytest.mark.slow
def test_official_resnet50_layout_loads(tmp_path):
    """A file laid out as Keras' official one (legacy HDF5, its layer names), random."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    keras.utils.set_random_seed(5)
    full = keras.applications.ResNet50(
        input_shape=(None, None, 3), include_top=False, weights=None
    )
    path = tmp_path / resnet50.SOURCES.imagenet.file
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, full)
        assert "conv1_conv" in file
    found = resnet50.ARCHITECTURE.find_weights(str(path))
    config = ModelConfig(name="resnet50", size_px=32)
    base = network.base_of(resnet50.ARCHITECTURE.build(config, found, 0))
    for layer in (layer for layer in full.layers if layer.weights):
        for ours, theirs in zip(
            base.get_layer(layer.name).weights, layer.weights, strict=True
        ):
            np.testing.assert_array_equal(array(ours), array(theirs))


@pytest.mark.parametrize("plugin", [mobilenetv2, resnet50])
def test_preprocessing_is_what_the_base_was_trained_on(plugin):
    name = plugin.__name__.rpartition(".")[2]
    theirs = {
        "mobilenetv2": keras.applications.mobilenet_v2.preprocess_input,
        "resnet50": keras.applications.resnet50.preprocess_input,
    }[name]
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    with keras.StatelessScope(initialize_variables=False):  # preprocessing alone
        model = plugin.ARCHITECTURE.build(ModelConfig(name=name, size_px=32), None, 0)
    layer = model.get_layer("preprocessing")
    np.testing.assert_allclose(array(layer(images)), theirs(images.copy()), atol=1e-4)


def test_pooling_is_mean_and_standard_deviation():
    from kerasfaces.models.layers import MeanStdPooling

    maps = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
    got = array(MeanStdPooling()(maps))
    expected = np.concatenate([maps.mean((1, 2)), maps.std((1, 2))], axis=-1)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_every_width_has_its_number_of_parameters():
    for alpha, n_parameters in mobilenetv2.PARAMETERS.items():
        with keras.StatelessScope(initialize_variables=False):
            base = mobilenetv2.full_base(alpha)
        assert base.count_params() == n_parameters
