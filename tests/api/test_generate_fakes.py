"""`Manifest.generate`: in another process, with settings of both sorts."""

import sys

import numpy as np
import pytest
from PIL import Image

import kerasfaces as kf
from kerasfaces import images
from kerasfaces.core.errors import InputError


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "photos" / "real"
    folder.mkdir(parents=True)
    for number in range(2):
        random = np.random.default_rng(number)
        pixels = random.integers(0, 256, (48, 64, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return kf.Manifest.from_folders(folder, label_is="real", source="camera")


def test_pairs_are_made_elsewhere(data, tmp_path):
    loaded = "torch" in sys.modules
    made = data.generate("upsample", tmp_path / "p", size_px=32, stages=1, seed=3)
    assert ("torch" in sys.modules) == loaded
    assert sorted(made.table["source"]) == ["camera"] * 2 + ["upsample2x"] * 2
    assert {images.load(path).size for path in made.files()} == {(32, 32)}


@pytest.mark.torch
def test_mistakes_are_raised_here(data, tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(InputError, match=r"unknown key 'stage'.*mean 'stages'"):
        data.generate("upsample", tmp_path / "p", stage=1)
    with pytest.raises(InputError, match=r"noise: expected 0 to 10"):
        data.generate("autoencoder", tmp_path / "p", noise=-1)
