"""Fixtures of the stage."""

import numpy as np
import pytest
from PIL import Image

from kerasfaces.core import rng


@pytest.fixture
def faces(tmp_path):
    """Forty different files, one of them twice."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(40):
        random = rng.generator(0, "stage", number)
        pixels = random.integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    (folder / "again.png").write_bytes((folder / "03.png").read_bytes())
    return sorted(folder.iterdir())


@pytest.fixture
def small_chunks(monkeypatch):
    from kerasfaces.channels import chunks

    monkeypatch.setattr(chunks, "CHUNK", 8)
