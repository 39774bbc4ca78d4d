"""Tiny data sets made on the spot."""

import numpy as np
import pytest
from PIL import Image

from kerasfaces.cli import manifest as command
from kerasfaces.core import rng


@pytest.fixture(scope="session")
def picture():
    """Return a function `(number, size_px=48) -> image` of distinct pictures."""

    def make(number, size_px=48):
        random = rng.generator(7, "picture", number)
        pixels = np.zeros((size_px, size_px, 3))
        for cells in (3, 7, 15, 31):  # detail at every scale, as photographs have
            coarse = random.integers(0, 256, (cells, cells, 3)).astype(np.uint8)
            layer = Image.fromarray(coarse).resize((size_px, size_px))
            pixels += np.asarray(layer) / 4
        return Image.fromarray(pixels.astype(np.uint8))

    return make


@pytest.fixture
def folders(tmp_path, picture):
    """`data/real/{cam_a,cam_b}/*.jpg`, `data/fake/{gan,sd}/*.jpg`: 7 images of each."""
    root = tmp_path / "data"
    number = 0
    for label, sources in (("real", ("cam_a", "cam_b")), ("fake", ("gan", "sd"))):
        for source in sources:
            folder = root / label / source
            folder.mkdir(parents=True)
            for i in range(7):
                picture(number).save(folder / f"{i}.jpg", quality=90)
                number += 1
    return root


@pytest.fixture
def run(capsys):
    """Return a function that runs `kerasfaces manifest ...`: `(exit code, stdout)`."""

    def call(*arguments):
        code = command.main([str(argument) for argument in arguments])
        return code, capsys.readouterr().out

    return call


@pytest.fixture
def write_csv(tmp_path):
    """Return a function that writes text or bytes to a CSV file."""

    def write(content, name="m.csv"):
        path = tmp_path / name
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(data)
        return path

    return write
