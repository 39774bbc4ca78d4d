"""Frozen features: the same bytes wherever they are computed, also if a node is lost."""

import numpy as np
import pytest

from kerasfaces import store
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError

pytestmark = pytest.mark.tf
N_IMAGES = 150  # three items, the last one smaller than a batch


class Pictures:
    """Noise by position, as a cache of images gives it."""

    recipe = {"kind": "noise"}  # noqa: RUF012

    def __init__(self, n_images=N_IMAGES):
        pixels = np.random.default_rng(0).integers(0, 256, (n_images, 32, 32, 3))
        self.pixels = pixels.astype(np.uint8)
        self.keys = [f"{number:064x}" for number in range(n_images)]

    def reader(self, keys):
        rows = np.array([self.keys.index(key) for key in keys])
        return lambda positions: self.pixels[rows[positions]]


@pytest.fixture
def compute(monkeypatch, tmp_path, tiny_weights):
    """Compute features into a cache of its own; return its files' bytes."""
    from kerasfaces.features.cached import FeatureCache
    from kerasfaces.models import network
    from kerasfaces.models.config import ModelConfig
    from kerasfaces.models.zoo import mobilenetv2

    options = mobilenetv2.Options(alpha=0.35)
    config = ModelConfig(size_px=32, options=options, pooling="mean_std")
    weights = mobilenetv2.ARCHITECTURE.find_weights(str(tiny_weights), config)
    model = mobilenetv2.ARCHITECTURE.build(config, weights)

    def run(name, spread, view):
        pictures = Pictures()
        monkeypatch.setenv("KERASFACES_CACHE", str(tmp_path / name))
        cache = FeatureCache(
            network.extractor_of(model), {"base": 1}, pictures, spread=spread
        )
        cache.reader(pictures.keys, view)
        files = store.cache_root().rglob("*")
        folder = tmp_path / name
        return {
            str(file.relative_to(folder)): file.read_bytes()
            for file in files
            if file.is_file() and not file.name.startswith(".")
        }

    return run


# Unchanged images are slow: the default case changes them first, and does the same.
@pytest.mark.parametrize(
    "is_augmented", [True, pytest.param(False, marks=pytest.mark.slow)]
)
def test_processes_compute_the_same_bytes(is_augmented, compute):
    from kerasfaces.dataset.views import AugmentConfig
    from kerasfaces.features.extraction import View

    view = View(number=1, augment=AugmentConfig(flip=True)) if is_augmented else None
    here = compute("here", None, view)
    assert compute("there", Engine(workers=2), view) == here
    assert len([name for name in here if name.endswith(".npy")]) == 1


def test_another_engine_is_refused(compute, monkeypatch):
    from kerasfaces.features import engines
    from kerasfaces.features.extraction import Extract, Item, View

    task = Extract(None, "keras 1.0 tensorflow 1.0", View())
    monkeypatch.setattr(engines, "keras_engine", lambda _: engines.Engine("x", None, 8))
    with pytest.raises(InputError, match=r"computed by keras 1\.0 .* would be by x"):
        task(Item([], np.zeros((0, 32, 32, 3), np.uint8)))


SCRIPT = """
import sys
from pathlib import Path

from two_nodes import TwoNodes

from kerasfaces.core.imports import import_keras
from kerasfaces.core import numerics

numerics.settle_environment()
import_keras()

from kerasfaces.dataset import cache
from kerasfaces.features import cached
from kerasfaces.images import InputSpec
from kerasfaces.models import network
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.zoo import mobilenetv2

folder, weights = map(Path, sys.argv[1:])
nodes = TwoNodes()

config = ModelConfig(size_px=96, options=mobilenetv2.Options(alpha=0.35))
base = mobilenetv2.ARCHITECTURE.find_weights(str(weights), config)
model = mobilenetv2.ARCHITECTURE.build(config, base)
files = sorted((folder / "images").iterdir())
images = cache.cache_images(files, InputSpec(size_px=96), nodes.engine)
print([reason for reason in images.reasons if reason])
features = cached.FeatureCache(
    network.extractor_of(model), {"base": 1}, images.store, spread=nodes.engine
)
cached.engine.map, real = None, cached.engine.map


def map_and_kill(*arguments, **options):
    for outcome in real(*arguments, **options):
        yield outcome
        if outcome.key == 3:
            nodes.lose_one()


cached.engine.map = map_and_kill
keys = [key for key, reason in zip(images.keys, images.reasons) if not reason]
print(len(features.reader(keys)))
nodes.shutdown()
"""


@pytest.mark.slow
def test_a_lost_node_changes_no_byte(
    tmp_path, tiny_weights, run_on_two_nodes, monkeypatch
):
    """Decoding and features of 700 images on two nodes, one killed in the middle."""
    from PIL import Image

    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(700):
        noise = np.random.default_rng(number).integers(0, 255, (40, 40, 3))
        Image.fromarray(noise.astype(np.uint8)).save(folder / f"{number:04d}.png")
    (folder / "0007.png").write_bytes(b"no image")
    contents = {}
    here = SCRIPT.replace("nodes.engine", "None").replace("outcome.key == 3", "False")
    for name, text in {"ray": SCRIPT, "here": here}.items():
        monkeypatch.setenv("KERASFACES_CACHE", str(tmp_path / name))
        done = run_on_two_nodes(text, tmp_path, tiny_weights)
        reasons, n_features = done.stdout.splitlines()
        assert "not an image" in reasons
        assert n_features == "699"
        assert ("a worker died" in done.stderr) == (name == "ray")
        contents[name] = {
            str(file.relative_to(tmp_path / name)): file.read_bytes()
            for file in (tmp_path / name).rglob("*")
            if file.suffix in (".npy", ".csv", ".json")
        }
    assert contents["ray"] == contents["here"]
    assert len([name for name in contents["ray"] if name.endswith(".npy")]) >= 3
