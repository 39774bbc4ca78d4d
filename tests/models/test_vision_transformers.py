"""Frozen transformers: published files of every family, and the same numbers as in torch."""

import dataclasses
import math
import sys

import keras
import numpy as np
import pytest

from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError, MissingExtraError, MissingFileError
from kerasfaces.models import catalogue, layers, network, positions
from kerasfaces.models.config import ModelConfig
from kerasfaces.train import config as train_configs

pytestmark = pytest.mark.tf
pytest.importorskip("keras_hub")
pytest.importorskip("safetensors")
PX = 64
SIZES = {"layers": 2, "width": 16, "heads": 2, "mlp_width": 32, "patch_px": 16}
# preset, class and configuration of transformers, whether it holds a text model, too
FAMILIES = {
    "dinov2_small": ("Dinov2Model", "Dinov2Config", {"mlp_ratio": 2}),
    "dinov2_registers_small": (
        "Dinov2WithRegistersModel",
        "Dinov2WithRegistersConfig",
        {"mlp_ratio": 2},
    ),
    "dinov3_small": (
        "DINOv3ViTModel",
        "DINOv3ViTConfig",
        {"intermediate_size": 32, "num_register_tokens": 4},
    ),
    "clip_base_16": ("CLIPVisionModel", "CLIPVisionConfig", {"intermediate_size": 32}),
    "metaclip2_huge": (
        "MetaClip2VisionModel",
        "MetaClip2VisionConfig",
        {"intermediate_size": 32, "hidden_act": "quick_gelu"},
    ),
    "siglip2_base": (
        "SiglipVisionModel",
        "SiglipVisionConfig",
        {"intermediate_size": 32},
    ),
}
REFERENCE = """
import numpy as np
import torch
import transformers
torch.manual_seed(0)
for name, (kind, config, extra) in {families!r}.items():
    model = getattr(transformers, kind)(getattr(transformers, config)(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, patch_size=16,
        image_size={px}, **extra)).eval()
    with torch.no_grad():  # at their start, biases are 0 and scales 1: nothing to confuse
        for parameter in model.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape))
    model.save_pretrained(rf"{folder}/{{name}}")
    for px in ({px}, 2 * {px}):
        x = np.load(rf"{folder}/images_{{px}}.npy").transpose(0, 3, 1, 2)
        words = dict(output_hidden_states=True)
        if px != {px} and name != "dinov3_small" and "dinov2" not in name:
            words["interpolate_pos_encoding"] = True
        with torch.no_grad():
            out = model(torch.from_numpy(x), **words)
        np.savez(rf"{folder}/{{name}}_{{px}}.npz",
                 last=out.last_hidden_state.numpy(), pooled=out.pooler_output.numpy(),
                 **{{f"block_{{i}}": out.hidden_states[i].numpy() for i in (1, 2)}})
"""


def config_of(name, size_px=PX, **changes):
    model = train_configs.default(name).model
    options = dataclasses.replace(model.options, native_px=PX, **SIZES)
    settings = {"taps": ("block_1", "block_2"), "size_px": size_px, "options": options}
    return dataclasses.replace(model, **{**settings, **changes})


def build(name, path=None, size_px=PX, **changes):
    plugin = catalogue.load(name)
    found = plugin.find_weights(str(path)) if path else None
    return plugin.build(config_of(name, size_px, **changes), found, 0)


def array(values):
    return keras.ops.convert_to_numpy(values)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder per family as transformers writes it, random weights, and its numbers."""
    import subprocess

    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("published")
    random = np.random.default_rng(0)
    for px in (PX, 2 * PX):
        images = random.normal(size=(2, px, px, 3)).astype(np.float32)
        np.save(folder / f"images_{px}.npy", images)
    code = REFERENCE.format(families=FAMILIES, px=PX, folder=folder)
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("size_px", [PX, 2 * PX])
@pytest.mark.parametrize("name", FAMILIES)
def test_tokens_are_those_of_the_reference(name, size_px, published):
    """At the published size, and at one for which positions are resized."""
    model = build(
        name, published / name, size_px, taps=("block_1", "block_2", "tokens")
    )
    images = np.load(published / f"images_{size_px}.npy")
    wanted = np.load(published / f"{name}_{size_px}.npz")
    first, second, last = network.base_of(model)(images, training=False)
    np.testing.assert_allclose(array(first)[:, :, 0], wanted["block_1"], atol=1e-4)
    if "dinov3" not in name:  # its last hidden state is the normalised one
        np.testing.assert_allclose(array(second)[:, :, 0], wanted["block_2"], atol=1e-4)
    if "clip" in name:
        last = array(last)[:, 0, 0]
        wanted_last = wanted["pooled"] if name.startswith("clip") else None
    else:
        last, wanted_last = array(last)[:, :, 0], wanted["last"]
    if wanted_last is not None:
        np.testing.assert_allclose(last, wanted_last, atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_files_that_do_not_fit_are_a_sentence(name, published, tmp_path):
    from safetensors import numpy as files

    path = published / name / "model.safetensors"
    state = files.load_file(path)
    whole = path.read_bytes()
    (tmp_path / "short.safetensors").write_bytes(whole[: len(whole) // 2])
    files.save_file({**state, "more": np.zeros(2)}, tmp_path / "more.safetensors")
    files.save_file(
        {key: state[key] for key in state if ".1." not in key},
        tmp_path / "less.safetensors",
    )
    for file, words in {
        "short": "not a complete state dict of tensors",
        "more": "'more' has no place in it",
        "less": "(is missing|no place)",
    }.items():
        with pytest.raises(InputError, match=f"not weights of {name}: .*{words}"):
            build(name, tmp_path / f"{file}.safetensors")
    options = dataclasses.replace(config_of(name).options, mlp_width=24)
    with pytest.raises(InputError, match=r"should be \(.*, found \("):
        build(name, path, options=options)


@pytest.mark.slow
def test_a_model_of_texts_and_images_gives_its_images_part(published, tmp_path):
    """CLIP's file as it is published: two towers, in two shards."""
    from safetensors import numpy as files

    state = files.load_file(published / "clip_base_16" / "model.safetensors")
    whole = {f"vision_model.{name}": value for name, value in state.items()}
    first = dict(list(whole.items())[:5])
    rest = {name: value for name, value in whole.items() if name not in first}
    texts = {
        "text_model.final_layer_norm.weight": np.ones(3),
        "logit_scale": np.ones(1),
    }
    files.save_file({**first, **texts}, tmp_path / "model-00001-of-00002.safetensors")
    files.save_file(rest, tmp_path / "model-00002-of-00002.safetensors")
    ours, theirs = (
        network.base_of(build("clip_base_16", folder))
        for folder in (tmp_path, published / "clip_base_16")
    )
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(array(one), array(other))


def hub_preset(name, folder):
    """A preset of keras-hub's, as its `save_to_preset` writes it, random weights."""
    import keras_hub

    keras.utils.set_random_seed(3)
    plugin, sizes = catalogue.load(name), config_of(name).options
    model = plugin.family.build(sizes, PX, True)
    for weight in model.weights:
        if not weight.path.endswith("position_ids"):
            weight.assign(keras.random.normal(weight.shape, seed=len(weight.path)))
    kinds = keras_hub.models
    texts = {
        "vocabulary_size": 30,
        "embedding_dim": 8,
        "hidden_dim": 8,
        "num_layers": 1,
        "num_heads": 2,
        "intermediate_dim": 8,
    }
    whole = model
    if name.startswith("clip"):
        whole = kinds.CLIPBackbone(model, kinds.CLIPTextEncoder(**texts), 8)
    elif name.startswith("metaclip"):
        whole = kinds.MetaCLIP2Backbone(model, kinds.MetaCLIP2TextEncoder(**texts), 8)
    elif name.startswith("siglip"):
        whole = kinds.SigLIPBackbone(model, kinds.SigLIPTextEncoder(**texts))
    whole.save_to_preset(folder)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_keras_hub_s_preset_is_in_the_base(name, tmp_path):
    theirs = hub_preset(name, tmp_path)
    assert (tmp_path / "config.json").exists()
    base = network.base_of(build(name, tmp_path))
    found = {weight.path: array(weight) for weight in base.weights}
    wanted = {weight.path: array(weight) for weight in theirs.weights}
    assert len(found) > 20
    for path, value in found.items():
        if "interpolated" not in path:
            np.testing.assert_array_equal(value, wanted[path], path)
    file = tmp_path / "model.weights.h5"
    again = network.base_of(build(name, file))
    np.testing.assert_array_equal(array(again.weights[0]), array(base.weights[0]))
    options = dataclasses.replace(config_of(name).options, layers=3)
    with pytest.raises(InputError, match="arrays missing"):
        build(name, file, options=options)
    file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(InputError, match=f"not weights of {name}: it cannot be read"):
        build(name, file)


@pytest.mark.slow
def test_positions_are_resized_as_torch_does(tmp_path, run_python):
    pytest.importorskip("torch")
    grid = np.random.default_rng(0).normal(size=(1, 3, 7, 7)).astype("float32")
    np.save(tmp_path / "grid.npy", grid)
    run_python(f"""
import numpy as np, torch
grid = torch.from_numpy(np.load(r"{tmp_path}/grid.npy"))
for new in (4, 5, 16):
    for antialias in (False, True):
        out = torch.nn.functional.interpolate(
            grid, size=(new, new), mode="bicubic", antialias=antialias)
        np.save(rf"{tmp_path}/{{new}}_{{antialias}}.npy", out.numpy())
""")
    rows = grid[0].reshape(3, -1).T
    front = np.full((2, 3), 9, np.float32)
    for new in (4, 5, 16):
        for antialias in (False, True):
            found = positions.resized(np.concatenate([front, rows]), new**2, antialias)
            wanted = np.load(tmp_path / f"{new}_{antialias}.npy")[0].reshape(3, -1).T
            np.testing.assert_array_equal(found[:2], front)
            np.testing.assert_allclose(found[2:], wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("front", "pooling", "width"), [(1, "cls", 5), (5, "cls_mean_std", 15)]
)
def test_poolings_of_tokens_keep_the_image_s_and_the_patches_apart(
    front, pooling, width
):
    tokens = np.random.default_rng(0).normal(size=(2, front + 16, 1, 5))
    found = array(network._POOLING[pooling]()(tokens.astype("float32")))
    patches = tokens[:, front:, 0]
    wanted = [tokens[:, 0, 0], patches.mean(axis=1), patches.std(axis=1)]
    assert found.shape == (2, width)
    wanted = np.concatenate(wanted, axis=1)[:, :width]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    both = array(layers.MeanStdPooling()(tokens.astype("float32")))
    np.testing.assert_allclose(
        both,
        np.concatenate([patches.mean(axis=1), patches.std(axis=1)], axis=1),
        atol=1e-5,
    )


def test_siglip_has_no_token_for_the_whole_image():
    with pytest.raises(InputError, match="pooling: cls is for transformers with a tok"):
        build("siglip2_base", pooling="cls")
    assert train_configs.default("siglip2_base").model.pooling == "mean_std"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size_px": 72}, r"size_px: expected a multiple of the patch, 16 px, got 72"),
        ({"scales": (1.0, 2.0)}, "model.scales: dinov3_base has positions for one si"),
        ({"taps": ("block_9",)}, "no layer 'block_9'; some it has: block_1, block_2"),
    ],
)
def test_what_a_transformer_cannot_do_is_refused(changes, words):
    with pytest.raises(InputError, match=words):
        build("dinov3_base", **changes)


@pytest.mark.parametrize("name", FAMILIES)
def test_preprocessing_is_in_the_model(name):
    """Means and deviations that the authors' processors state."""
    mean, deviation = {
        "dino": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "clip": (
            (0.48145466, 0.4578275, 0.40821073),
            (0.26862954, 0.26130258, 0.27577711),
        ),
        "metaclip": (
            (0.48145466, 0.4578275, 0.40821073),
            (0.26862954, 0.26130258, 0.27577711),
        ),
        "siglip": ((0.5,) * 3, (0.5,) * 3),
    }[name.split("v")[0].split("2")[0].split("_")[0]]
    layer = build(name).get_layer("preprocessing")
    pixels = np.array([[[[0, 100, 255]]]], np.float32)
    wanted = (pixels / 255 - mean) / deviation
    np.testing.assert_allclose(array(layer(pixels)), wanted, atol=1e-5)


def test_default_configuration_is_frozen_with_published_weights():
    from kerasfaces.train.settings import DetectorSettings

    settings = DetectorSettings(model="dinov3_base")
    assert settings.weights_for(False) == "published"
    assert not settings.configuration().trains_whole(object())
    model = settings.configuration().model
    assert (model.size_px, model.scales) == (224, (1.0,))
    assert model.taps == ("block_3", "block_6", "block_9", "block_12")
    again = configs.from_dict(ModelConfig, configs.to_dict(model))
    assert again == model


HUB = {
    name: preset
    for name, preset in catalogue.PRESETS.items()
    if preset.weights.startswith("kaggle://")
}


@pytest.mark.parametrize("name", HUB)
def test_handles_are_those_keras_hub_has(name):
    kinds = pytest.importorskip("keras_hub").models
    families = ("DINOV2", "DINOV3", "SigLIP", "CLIP")
    known = [
        preset["kaggle_handle"]
        for family in families
        for preset in getattr(kinds, f"{family}Backbone").presets.values()
    ]
    assert HUB[name].weights in known


@pytest.mark.parametrize("name", [*HUB, "metaclip2_huge", "metaclip2_giant"])
def test_sizes_divide(name):
    sizes = catalogue.load(name).options
    assert sizes.width % sizes.heads == 0
    assert sizes.native_px % sizes.patch_px == 0
    if name.startswith("dinov3"):  # rotary positions turn quarters of a head
        assert sizes.width // sizes.heads % 4 == 0
    assert math.isqrt(sizes.layers) > 1


@pytest.mark.parametrize(
    ("module", "function", "address", "words"),
    [
        (
            "huggingface_hub",
            "snapshot_download",
            "hf://facebook/dinov3-vitb16-pretrain-lvd1689m",
            r"could not be downloaded \(no route to host\)\. Accept its licence on "
            "https://huggingface.co/facebook/dinov3-vitb16-pretrain-lvd1689m",
        ),
        (
            "kagglehub",
            "model_download",
            "kaggle://keras/dinov3/keras/dinov3_vit_base_lvd1689m/1",
            r"dinov3_vit_base_lvd1689m are not in kagglehub's cache .*no route to host",
        ),
        (
            "kagglehub",
            "model_download",
            "published",
            "dinov3_vit_base_lvd1689m are not in kagglehub's cache",
        ),
    ],
)
def test_without_internet_the_place_is_named(
    module, function, address, words, monkeypatch
):
    def offline(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(pytest.importorskip(module), function, offline)
    with pytest.raises(MissingFileError, match=words):
        catalogue.load("dinov3_base").find_weights(address)


def test_addresses_and_folders_are_checked(tmp_path):
    plugin = catalogue.load("dinov3_base")
    for address in ("hf://only", "hf://a/b/c", "kaggle://keras/dinov3", "hf://../x"):
        with pytest.raises(InputError, match="expected hf://OWNER/NAME or kaggle://OW"):
            plugin.find_weights(address)
    with pytest.raises(MissingFileError, match="no weights in this folder; expected"):
        plugin.find_weights(str(tmp_path))
    with pytest.raises(MissingFileError, match="no such file"):
        plugin.find_weights(str(tmp_path / "nothing.safetensors"))
    with pytest.raises(MissingFileError, match="no such file"):
        catalogue.load("mobilenetv2").find_weights("hf://owner/name")


def test_without_keras_hub_the_pip_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'kerasfaces\[hub\]'"):
        build("clip_base_32")
