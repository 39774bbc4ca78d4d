"""Networks with published weights: their sizes, their files, and that they train."""

import dataclasses
import sys

import keras
import numpy as np
import pandas as pd
import pytest

from kerasfaces.cli.train import main
from kerasfaces.core.errors import InputError, MissingExtraError, MissingFileError
from kerasfaces.core.files import read_json
from kerasfaces.models import catalogue, layers, network, published
from kerasfaces.models.architecture import Start
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.weights import Sources
from kerasfaces.models.zoo import (
    densenet121,
    resnet18,
    resnet50,
    resnet50_convstack,
    transformer,
)
from kerasfaces.models.zoo.transformer import Sizes
from kerasfaces.train import config as configs

pytestmark = pytest.mark.tf
# Without top; with its 1,000 classes (one top, distilled DeiT two) each is what timm,
# torchvision or Keras state: 87.6 M, 87.3 M, 5.9 M, 86.6 M, 11,689,512 and 8,062,504.
PUBLISHED = {
    "deit_base_384": 87_630_032 - 2 * 769_000,
    "deit_base_224": 87_338_192 - 2 * 769_000,
    "deit_tiny_224": 5_910_800 - 2 * 193_000,
    "vit_base": 86_567_656 - 769_000,
    "resnet18": 11_689_512 - 513_000,
    "densenet121": 8_062_504 - 1_025_000,
}
PRESETS = {
    "deit_base_384": "mudgal2023",
    "deit_base_224": "yu2024",
    "deit_tiny_224": "yu2024",
    "vit_base": "mudgal2023",
    "resnet18": "yu2024",
    "densenet121": "mudgal2023",
    "resnet50_convstack": "tian2023",
}
TRANSFORMERS = [name for name in PRESETS if name.startswith(("deit", "vit"))]
SMALL = Sizes(layers=2, width=8, heads=2)


def plugin(name):
    return catalogue.load(name)


def built(config, found=None, seed=0):
    if plugin(config.name).extra == "hub":
        pytest.importorskip("keras_hub")
    return plugin(config.name).build(config, found, seed)


def small(name, **changes):
    config = configs.default(name).model
    options = SMALL if name in TRANSFORMERS else config.options
    return dataclasses.replace(config, size_px=48, options=options, **changes)


def backbone_of(name, config):
    """keras-hub's own model, random weights."""
    start = Start(config.options, None, Sources(name), 0)
    if name == "resnet18":
        return resnet18.resnet18(config, start)
    kind = transformer.vit_base if name.startswith("vit") else transformer.deit
    tokens = kind(config, start)
    return keras.Model(tokens.input, tokens.layers[-2].output, name=tokens.name)


def numpy_of(values):
    return keras.ops.convert_to_numpy(values)


def pixels(n=3, size_px=48, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (n, size_px, size_px, 3)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), PUBLISHED.items())
def test_the_base_has_the_published_number_of_weights(name, count):
    base = network.base_of(built(configs.default(name).model))
    found = base.count_params()
    if name == "resnet18":  # torch does not count running means and variances
        found = sum(int(np.prod(w.shape)) for w in base.trainable_variables)
    assert found == count


def test_resnet50_convstack_is_its_description():
    with keras.StatelessScope(initialize_variables=False):  # shapes alone
        model = built(dataclasses.replace(small("resnet50_convstack"), size_px=64))
    stack = 9 * 2048 * 128 + 128 + 15 * (9 * 128 * 128 + 128) + 4 * 4 * 128
    base = network.base_of(model)
    assert base.count_params() == 23_587_712 + stack
    kinds = [type(x).__name__ for x in base.layers if x.name.startswith("stack")]
    assert kinds == (["Conv2D"] * 4 + ["BatchNormalization"]) * 4
    head = [type(x).__name__ for x in model.get_layer("head").layers[1:]]
    assert head == [
        *("Dense", "BatchNormalization", "Dropout") * 2,
        *("Dense", "Dropout", "Dense"),
    ]


def test_resnet50_convstack_starts_from_resnet50_s_weights(tmp_path):
    keras.utils.set_random_seed(7)
    source = resnet50.full_base()
    source.save_weights(tmp_path / "resnet.weights.h5")
    found = resnet50_convstack.ARCHITECTURE.find_weights(
        str(tmp_path / "resnet.weights.h5")
    )
    config = dataclasses.replace(small("resnet50_convstack"), size_px=64)
    base = network.base_of(built(config, found, 1))
    for layer in (each for each in source.layers if each.weights):
        for ours, theirs in zip(
            base.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_the_head_sees_the_tokens_of_the_whole_image(name):
    model = built(small(name))
    count = 1 if name.startswith("vit") else 2
    assert network.base_of(model).output_shape == (None, 9 + count, 1, 8)
    assert network.extractor_of(model).output_shape == (None, 8 * count)
    images = pixels()
    tokens = network.base_of(model)(model.get_layer("preprocessing")(images))
    found = numpy_of(network.extractor_of(model)(images))
    first = numpy_of(tokens)[:, :count, 0].reshape(3, -1)
    np.testing.assert_allclose(found, first, atol=1e-5)


def test_token_pooling_is_for_transformers():
    with pytest.raises(InputError, match=r"model\.pooling: token is for transformers"):
        layers.ImageTokens()(np.zeros((1, 4, 4, 8), np.float32))


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "deit_base_224"])
def test_pixels_are_normalised_as_imagenet_s_were(name):
    with keras.StatelessScope(initialize_variables=False):  # preprocessing alone
        model = built(small(name))
    images = pixels()
    wanted = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    found = numpy_of(model.get_layer("preprocessing")(images))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_vit_sees_pixels_between_minus_one_and_one():
    layer = built(small("vit_base")).get_layer("preprocessing")
    ends = numpy_of(layer(np.array([[[[0, 127.5, 255]]]], np.float32)))
    np.testing.assert_allclose(ends.ravel(), [-1, 0, 1], atol=1e-6)


@pytest.mark.parametrize("name", [*TRANSFORMERS, "resnet18"])
def test_weights_from_keras_hub_s_file_are_in_the_base(name, tmp_path):
    """A file as keras-hub writes it, from a backbone of its own."""
    pytest.importorskip("keras_hub")
    config, path = small(name), tmp_path / "model.weights.h5"
    keras.utils.set_random_seed(11)
    backbone = backbone_of(name, config)
    backbone.save_weights(path)
    found = plugin(name).find_weights(str(path))
    base = network.base_of(built(config, found, 3))
    for ours, theirs in zip(base.weights, backbone.weights, strict=True):
        np.testing.assert_array_equal(numpy_of(ours), numpy_of(theirs))
    if name != "resnet18":
        with pytest.raises(InputError, match=rf"Expected keras-hub's {hub_name(name)}"):
            built(
                dataclasses.replace(config, options=Sizes(layers=3, width=8, heads=2)),
                found,
            )
        with pytest.raises(InputError, match="not weights of"):
            built(dataclasses.replace(config, size_px=64), found)


def hub_name(name):
    return plugin(name).sources.imagenet.name


def test_weights_of_another_architecture_are_refused(tmp_path):
    keras.utils.set_random_seed(0)
    resnet50.full_base().save_weights(tmp_path / "other.weights.h5")
    found = densenet121.ARCHITECTURE.find_weights(str(tmp_path / "other.weights.h5"))
    shapes_alone = keras.StatelessScope(initialize_variables=False)
    refused = pytest.raises(InputError, match="not weights of densenet121 without top")
    with shapes_alone, refused:
        densenet121.ARCHITECTURE.build(small("densenet121"), found)


@pytest.mark.parametrize("name", [*TRANSFORMERS, "resnet18"])
def test_presets_are_those_keras_hub_has(name):
    keras_hub = pytest.importorskip("keras_hub")
    kinds = keras_hub.models
    known = {
        **kinds.DeiTBackbone.presets,
        **kinds.ViTBackbone.presets,
        **kinds.ResNetBackbone.presets,
    }
    preset = plugin(name).sources.imagenet
    assert known[preset.name]["kaggle_handle"] == f"kaggle://{preset.handle}"


def test_without_internet_the_file_and_its_place_are_named(monkeypatch):
    kagglehub = pytest.importorskip("kagglehub")

    def offline(*_):
        raise OSError("no route to host")

    monkeypatch.setattr(kagglehub, "model_download", offline)
    words = (
        r"deit_base_distilled_patch16_384_imagenet .*\(no route to host\)\. Get "
        r"model\.weights\.h5 from https://www\.kaggle\.com/models/keras/deit/keras/deit_"
        r"base_distilled_patch16_384_imagenet .* `weights=FILE`"
    )
    with pytest.raises(MissingFileError, match=words):
        plugin("deit_base_384").find_weights("imagenet")


@pytest.mark.parametrize("name", [*TRANSFORMERS, "resnet18"])
def test_without_keras_hub_the_pip_command_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'kerasfaces\[hub\]'"):
        plugin(name).build(small(name))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size_px": 40}, r"model\.size_px: expected a multiple of the patch, 16 px"),
        ({"scales": (1.0, 2.0)}, r"model\.scales: vit_base has positions for one size"),
        ({"inputs": ("lnp",)}, "vit_base takes pixels, rgb; got lnp"),
    ],
)
def test_what_a_transformer_cannot_do_is_refused(changes, words):
    with pytest.raises(InputError, match=words):
        built(dataclasses.replace(small("vit_base"), **changes))


@pytest.mark.parametrize("name", ["layers", "width", "heads"])
def test_transformer_sizes_below_one_are_refused(name):
    with pytest.raises(InputError, match=rf"model\.options\.{name}: expected at"):
        Sizes(**{name: 0})


@pytest.mark.parametrize(("name", "preset"), PRESETS.items())
def test_default_configuration_is_the_document_s_preset(name, preset):
    config = configs.default(name)
    assert config == configs.preset(preset, name)
    assert config.model.name == name
    with pytest.raises(InputError, match=rf"{preset}'` describes .*not 'mobilenetv2'"):
        configs.preset(preset, "mobilenetv2")


def test_mudgal2023_is_sgd_on_a_plateau_through_everything():
    config = configs.preset("mudgal2023", "deit_base_384")
    assert (config.optimizer, config.schedule) == ("sgd", "plateau")
    assert config.plateau_factor == 0.5
    assert config.train_base
    assert config.model.size_px == 384
    assert config.model.head.units == ()


def test_yu2024_gives_either_deit_the_bottleneck():
    for name, size_px in (("deit_base_224", 224), ("deit_base_384", 384)):
        config = configs.preset("yu2024", name)
        assert config.model.head.units == (256,)
        assert (config.epochs, config.batch_size, config.learning_rate) == (
            50,
            32,
            1e-3,
        )
        assert config.model.size_px == size_px
        assert not config.train_base


TRAININGS = {
    "frozen": ("deit_tiny_224", "yu2024", True),
    "whole": ("vit_base", "mudgal2023", True),
    "nothing": ("densenet121", "mudgal2023", False),
    "basic": ("resnet18", "yu2024", False),
    "stack": ("resnet50_convstack", "tian2023", False),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", TRAININGS)
def test_trains_through_the_command_and_evaluates(case, tiny_manifest, tmp_path):
    from kerasfaces.cli.evaluate import main as evaluate

    name, preset, with_weights = TRAININGS[case]
    if plugin(name).extra:
        pytest.importorskip("keras_hub")
    run, manifest = tmp_path / "run", str(tmp_path / "manifest.csv")
    sizes = {"layers": 2, "width": 8, "heads": 2}
    words = ["--manifest", manifest, "--model", name, "--preset", preset]
    words += ["-o", str(run), "--set", "model.size_px=32", "--set", "epochs=2"]
    words += [
        word
        for key, value in sizes.items()
        if name in TRANSFORMERS
        for word in ("--set", f"model.options.{key}={value}")
    ]
    text = "none"
    if with_weights:
        config = ModelConfig(name=name, size_px=32, options=Sizes(**sizes))
        text = str(tmp_path / "model.weights.h5")
        backbone_of(name, config).save_weights(text)
    assert main([*words, "--weights", text]) == 0
    history = pd.read_csv(run / "history.csv")
    phase = "head" if case == "frozen" else "scratch"
    assert list(history["phase"]) == [phase, phase]
    assert np.isfinite(history["loss"]).all()
    stored = read_json(run / "config.json")
    assert (stored["weights"] is not None) == with_weights
    assert evaluate([str(run), "--manifest", manifest]) == 0
    first = pd.read_csv(run / "predictions_test.csv")["logit"]
    again = pd.read_csv(next(run.glob("evaluations/*/predictions_test.csv")))["logit"]
    np.testing.assert_allclose(again, first, atol=1e-3)


def test_official_densenet_file_is_keras_s():
    from keras.src.applications import densenet

    official = densenet121.ARCHITECTURE.sources.imagenet
    assert isinstance(official, published.KerasFile)
    assert official.address == densenet.DENSENET121_WEIGHT_PATH_NO_TOP
