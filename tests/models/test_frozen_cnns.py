"""MobileNetV3 and ConvNeXt: Keras' official files, and its own preprocessing."""

import dataclasses

import keras
import numpy as np
import pytest

from kerasfaces.models import catalogue, network
from kerasfaces.train import config as train_configs

pytestmark = pytest.mark.tf
SMALLEST = {
    "mobilenetv3_small": keras.applications.MobileNetV3Small,
    "convnext_tiny": keras.applications.ConvNeXtTiny,
}
NAMES = [
    *(f"convnext_{size}" for size in ("tiny", "small", "base")),
    *(f"mobilenetv3_{size}" for size in ("small", "large")),
]


def array(values):
    return keras.ops.convert_to_numpy(values)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALLEST)
def test_an_official_file_gives_keras_s_own_numbers(name, tmp_path):
    """A file laid out as Keras' official one (legacy HDF5), random; pixels of 0..255."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    keras.utils.set_random_seed(5)
    theirs = SMALLEST[name](
        input_shape=(64, 64, 3), include_top=False, weights=None
    )  # its preprocessing is inside
    path = tmp_path / "official.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    plugin = catalogue.load(name)
    config = dataclasses.replace(
        train_configs.default(name).model, size_px=64, scales=(1.0,), taps=()
    )
    ours = plugin.build(config, plugin.find_weights(str(path)), 0)
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    pixels = ours.get_layer("preprocessing")(images)
    found = array(network.base_of(ours)(pixels, training=False))
    wanted = array(theirs(images, training=False))
    scale = wanted.std()  # random weights leave little of the image
    assert scale > 0
    np.testing.assert_allclose(found / scale, wanted / scale, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_official_files_are_keras_s(name):
    from keras.src.applications import convnext, mobilenet_v3

    official = catalogue.load(name).sources.imagenet
    if name.startswith("convnext"):
        assert official.md5 == convnext.WEIGHTS_HASHES[name][1]
        assert official.address == f"{convnext.BASE_WEIGHTS_PATH}{name}_notop.h5"
        return
    size = name.partition("_")[2]
    assert official.md5 == mobilenet_v3.WEIGHTS_HASHES[f"{size}_224_1.0_float"][1]
    assert official.address == (
        f"{mobilenet_v3.BASE_WEIGHT_PATH}weights_mobilenet_v3_{size}_224_1.0_float_no_top"
        "_v2.h5"
    )
