"""Channels from Python: computed in a process of their own, errors in Python's words."""

import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import kerasfaces as kf
from kerasfaces import store
from kerasfaces.core.errors import InputError, RunError

pytestmark = pytest.mark.torch


@pytest.fixture
def data(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (2, 70, 70, 3)).astype(np.uint8)
    for name, pixels in zip(("a", "b"), values, strict=True):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    rows = [("a.png", "real"), ("b.png", "fake")]
    return kf.Manifest.from_table(
        pd.DataFrame(rows, columns=["path", "label"]), root=tmp_path
    )


def test_channels_are_computed_elsewhere(data, tmp_path):
    loaded = "torch" in sys.modules
    folder = data.compute_channels(tmp_path / "s", ["rgb"], options={"size_px": 64})
    assert len(store.Store(folder)) == 2
    assert ("torch" in sys.modules) == loaded


def test_mistakes_are_raised_here(data, tmp_path):
    with pytest.raises(InputError, match="gamma"):
        data.compute_channels(tmp_path / "s", ["gamma"])
    for path in data.files():
        path.write_bytes(b"broken")
    with pytest.raises(RunError, match="No image has an array"):
        data.compute_channels(tmp_path / "s", ["rgb"])
