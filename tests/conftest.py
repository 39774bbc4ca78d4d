"""Shared fixtures: a cache of the tests' own, tiny images made on the spot."""

import gc
import logging
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasfaces.core import rng

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="module", autouse=True)
def few_objects():
    """Frameworks and what a session shares are not searched for garbage again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("KERASFACES_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def own_logging():
    """A command run inside a test leaves neither its handler nor its level behind."""
    logger = logging.getLogger("kerasfaces")
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.fixture(scope="session")
def faces_folder():
    """Real faces to measure on; only slow tests may ask for them."""
    root = Path(os.environ.get("KERASFACES_DATA", "../shared")) / "data" / "faces"
    if not (root / "manifest.csv").exists():
        pytest.skip("no real faces here (KERASFACES_DATA)")
    return root


def draw_image(label: str, number: int, size_px: int = 48) -> Image.Image:
    """A smooth blob; `real` adds noise, so that the classes differ measurably."""
    random = rng.generator(0, label, number)
    x, y = np.meshgrid(*[np.linspace(-1, 1, size_px)] * 2)
    blob = 120 + 90 * np.exp(-((x - random.normal() / 4) ** 2 + y**2) * 3)
    pixels = np.stack(
        [blob * factor for factor in random.uniform(0.6, 1.0, 3)], axis=-1
    )
    if label == "real":
        pixels += random.normal(0, 14, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def tiny_images(tmp_path_factory):
    """A folder `real/camera/*.png`, `fake/gan/*.png`: 36 images of each class."""
    root = tmp_path_factory.mktemp("tiny")
    for label, source in (("real", "camera"), ("fake", "gan")):
        folder = root / label / source
        folder.mkdir(parents=True)
        for number in range(36):
            draw_image(label, number).save(folder / f"{number:02d}.png")
    return root


@pytest.fixture
def tiny_manifest(tiny_images, tmp_path):
    """A split manifest of `tiny_images`: 24 / 6 / 6 of each class."""
    from kerasfaces import manifest as manifests

    lines = ["path,label,source,split,attr_glasses"]
    for label, source in (("real", "camera"), ("fake", "gan")):
        for number in range(36):
            split = "train" if number < 24 else "val" if number < 30 else "test"
            path = tiny_images / label / source / f"{number:02d}.png"
            lines.append(
                f"{path},{label},{source},{split},{'yes' if number % 2 else 'no'}"
            )
    path = tmp_path / "manifest.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifests.read(path)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory):
    """Random MobileNetV2 0.35 weights in a file: a stand-in for a trained base."""
    import keras

    keras.utils.set_random_seed(0)
    base = keras.applications.MobileNetV2(
        input_shape=(None, None, 3), alpha=0.35, include_top=False, weights=None
    )
    path = tmp_path_factory.mktemp("weights") / "base.weights.h5"
    base.save_weights(path)
    return path


@pytest.fixture
def run_python():
    """Run a Python snippet in a fresh interpreter and return its stdout."""
    import subprocess

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return done.stdout

    return run


@pytest.fixture(scope="session")
def warm_python():
    """What starts commands in processes that have Keras already."""
    import warm_python

    with warm_python.Server() as server:
        yield server


@pytest.fixture
def run_on_two_nodes(tmp_path):
    """Run a script that may import `two_nodes`; return its process when it succeeded."""
    import importlib.util
    import subprocess

    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed")

    def run(script, *words, timeout_s=400):
        path = tmp_path / "script.py"
        path.write_text(script, encoding="utf-8")
        modules = os.pathsep.join(entry for entry in sys.path if entry)
        done = subprocess.run(
            [sys.executable, str(path), *map(str, words)],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, "PYTHONPATH": modules},
        )
        assert done.returncode == 0, done.stderr
        return done

    return run
