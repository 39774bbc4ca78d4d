"""Weights are read whole and checked, wherever they stand in the archive."""

import errno
import zipfile

import keras
import numpy as np
import pytest

from kerasfaces.run import weights_file

pytestmark = pytest.mark.tf


def small(seed):
    start = keras.initializers.GlorotUniform(seed)
    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, kernel_initializer=start)]
    )


def rewritten(file, method, change=lambda data: data):
    """Write a .keras file anew, its parts changed and stored by `method`."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(data))


@pytest.fixture
def saved(tmp_path):
    model = small(0)
    model.save(tmp_path / "model.keras")
    return model, tmp_path / "model.keras"


def require_the_same(model, other):
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_stored_and_compressed_weights_are_loaded(saved, method):
    model, file = saved
    rewritten(file, method)
    other = small(1)
    weights_file.load_into(other, file)
    require_the_same(model, other)


def test_a_full_disk_is_no_reason_not_to_load(saved, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    model, file = saved
    monkeypatch.setattr(zipfile.ZipFile, "extract", full)
    other = small(1)
    weights_file.load_into(other, file)
    require_the_same(model, other)


def test_one_changed_weight_is_damage(saved):
    model, file = saved
    data = file.read_bytes()
    kernel = model.get_weights()[0].tobytes()
    assert data.count(kernel) == 1
    file.write_bytes(data.replace(kernel, kernel[:-1] + b"\0"))
    with pytest.raises(zipfile.BadZipFile, match="Bad CRC-32"):
        weights_file.load_into(small(1), file)


def test_other_layers_and_lacking_weights_are_refused(saved, tmp_path):
    _, file = saved
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="shape"):
        weights_file.load_into(other, file)
    with zipfile.ZipFile(tmp_path / "none.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(KeyError, match=r"model\.weights\.h5"):
        weights_file.load_into(other, tmp_path / "none.keras")
