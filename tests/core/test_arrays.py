"""Named arrays on disk: what is read is plain, whole and not too large."""

import zipfile

import numpy as np
import pytest

from kerasfaces.core import arrays
from kerasfaces.core.errors import InputError, RunError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


def test_arrays_come_back(path):
    arrays.write(path, {"a": np.arange(3), "names": np.array(["x", "ü"])})
    loaded = arrays.read(path)
    assert set(loaded) == {"a", "names"}
    assert loaded["a"].tolist() == [0, 1, 2]
    assert loaded["names"].tolist() == ["x", "ü"]


def test_objects_are_not_written(path):
    with pytest.raises(ValueError, match="array weights holds objects"):
        arrays.write(path, {"weights": np.array([print], object)})
    assert not path.exists()


def test_a_pickle_is_refused(path):
    with path.open("wb") as file:
        np.savez(file, weights=np.array([print], object))
    with pytest.raises(RunError, match=r"model\.npz is damaged .*; train again\."):
        arrays.read(path, "train again")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\x93NUMPY"])
def test_what_is_no_archive_is_a_sentence(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.npz is damaged .*delete it\.$"):
        arrays.read(path, error=InputError)


def test_damaged_bytes_are_a_sentence(path):
    arrays.write(path, {"a": np.arange(1000)})
    data = bytearray(path.read_bytes())
    data[500] ^= 1
    path.write_bytes(data)
    with pytest.raises(RunError, match="is damaged"):
        arrays.read(path)


def test_a_small_file_that_claims_to_be_large_is_not_unpacked(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(2_000_000))
    with pytest.raises(RunError, match="2,000,000 bytes unpacked, at most 1,000,000"):
        arrays.read(path, max_bytes=1_000_000)
