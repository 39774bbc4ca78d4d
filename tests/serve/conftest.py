"""Runs to serve: one trained by the command, one on channels put together by hand."""

import importlib.util
import shutil
import subprocess
import sys

import fake_channels
import numpy as np
import pytest
from tiny_runs import TINY, set_threshold, train_tiny, write_manifest

from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.core.files import read_json, write_json
from kerasfaces.models import catalogue
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.zoo import lnp_attention
from kerasfaces.serve.engine_choice import FORMATS
from kerasfaces.serve.export import export


@pytest.fixture(scope="session")
def trained(tmp_path_factory, tiny_images, tiny_weights):
    root = tmp_path_factory.mktemp("serve")
    manifest = write_manifest(root, tiny_images, 24, 6)
    return train_tiny(manifest, tiny_weights, *TINY)


@pytest.fixture
def run(trained, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture(scope="session")
def exports(trained, tmp_path_factory):
    """The run's exports for both engines that predict with one, made once."""
    run = shutil.copytree(trained, tmp_path_factory.mktemp("exports") / "run")
    for engine, kind in FORMATS.items():
        if importlib.util.find_spec(engine):
            export(run, kind)
    return run / "exports"


@pytest.fixture
def exported_run(run, exports):
    """The copy of the run, exported already."""
    shutil.copytree(exports, run / "exports")
    return run


@pytest.fixture
def decided_run(exported_run):
    """The same, whose verdicts need no second opinion of Keras."""
    set_threshold(exported_run, -1.0)
    return exported_run


@pytest.fixture
def test_rows(run):
    """Files, and rows of predictions_test.csv, of the run's test split."""
    from kerasfaces.run import predictions

    manifest = manifests.read(run / "manifest.csv")
    files = dict(zip(manifest.rows["path"], manifest.files(), strict=True))
    rows = predictions.read(run / "predictions_test.csv")
    return [files[path] for path in rows["path"]], rows


@pytest.fixture(scope="session")
def untrained(tmp_path_factory):
    """Return the file of an untrained network that tells inputs apart, made once each."""
    folder = tmp_path_factory.mktemp("untrained")

    def saved(model, lowest, highest):
        file = folder / f"{model.name}.keras"
        if not file.exists():
            network = catalogue.load(model.name).build(model, None, 0)
            _give_logits(network, lowest, highest)
            network.save(file)
        return file

    return saved


@pytest.fixture
def small_run(run, untrained):
    """The copy, of a network that is built in no time: for what is no matter of networks."""
    model = ModelConfig(name="two_layer_cnn", size_px=32)
    _put_in(run, model, untrained(model, 0, 255), read_json(run / "config.json"))
    return run


@pytest.fixture
def channel_run(run, untrained, tmp_path):
    """A run of a network that takes the noise pattern and its spectra, under a mask."""
    from kerasfaces.train import channels

    folder = tmp_path / "channels"
    model = ModelConfig(
        name="lnp_attention",
        inputs=("lnp+spectra",),
        size_px=32,
        options=lnp_attention.Options(alpha=0.35),
    )
    folder.mkdir()
    _put_in(folder, model, untrained(model, -3, 3), read_json(run / "config.json"))
    for name in ("manifest.csv", "operating_point.json"):
        shutil.copy(run / name, folder / name)

    class Trained:
        input_spec = fake_channels.SPEC

    Trained.model = model
    recipe = fake_channels.recipe()
    recipe["config"]["mask"] = "ellipse"  # which no export makes
    spec = channels.input_spec(Trained, recipe)
    write_json(folder / "input_spec.json", spec)
    return folder


def _put_in(folder, model, file, config):
    """Make `file` the network of a run folder."""
    config["train"] |= {"model": configs.to_dict(model)}
    write_json(folder / "config.json", config | {"weights": None})
    shutil.copy(file, folder / "model.keras")


def _give_logits(network, lowest, highest):
    """Let an untrained network tell inputs apart: its head begins with zeros."""
    random = np.random.default_rng(0)
    kernel = network.get_layer("head").get_layer("logit").kernel
    kernel.assign(random.normal(0, 1, kernel.shape))
    logits = network(random.uniform(lowest, highest, (8, *network.input_shape[1:])))
    kernel.assign(kernel / np.std(logits))


REAL = """
import sys
from pathlib import Path
from kerasfaces.channels import config, recipe
from kerasfaces.core.files import read_json, write_json
made_by = recipe.recipe_of(config.from_names(
    ["rgb", "lnp", "spectrum"], "none", ["size_px=32"]))
file = Path(sys.argv[1]) / "input_spec.json"
spec = read_json(file)
write_json(file, spec | {"channel_recipe": made_by})
"""


@pytest.fixture
def carried_run(channel_run):
    """The same on channels of the real stage, without a mask: exports make them."""
    subprocess.run([sys.executable, "-c", REAL, str(channel_run)], check=True)
    return channel_run
