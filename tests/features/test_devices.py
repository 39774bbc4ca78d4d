"""Eight simulated devices train what one trains; what cannot be had is one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.features import devices

pytestmark = pytest.mark.tf
TOLERANCE = 1e-4  # logits; sums over a batch have another order
# 44 images in batches of 16: the last batch does not divide by eight.
CODE = """
import dataclasses, json, os, sys
backend, model, folder = sys.argv[1:]
if backend == "tensorflow":
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    one = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [one] * 8)
from pathlib import Path
import numpy as np
from kerasfaces import manifest as manifests
from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.features import devices
from kerasfaces.train import data as datasets, fit
from kerasfaces.train.config import TrainConfig
config = TrainConfig(
    model=ModelConfig(name=model, size_px=32, head=HeadConfig(standardize=False)),
    epochs=2, batch_size=16, learning_rate=1e-4, schedule="constant", patience=None,
    augment=AugmentConfig(flip=False),
)
folder = Path(folder)
manifest = manifests.read(folder / "manifest.csv")
rows = manifest.rows.drop(index=[0, 1, 36, 37]).reset_index(drop=True)
data = datasets.load(dataclasses.replace(manifest, rows=rows), config.input_spec)
logits = {}
os.environ[devices.VARIABLE] = "cpu:0"
for wanted in ("", ",".join(f"cpu:{i}" for i in range(8))):
    count = len(devices.chosen(wanted))
    run = folder / f"run{count}"
    run.mkdir()
    trained = fit.train(config, data, None, run, device_names=wanted)
    logits[count] = [*trained.logits["val"], *trained.logits["test"]]
    losses = [row["loss"] for row in trained.history]
    assert np.isfinite(losses).all()
print(json.dumps(logits))
"""


def spread(backend, model, folder, **variables):
    environment = {**os.environ, "KERAS_BACKEND": backend, **variables}
    done = subprocess.run(
        [sys.executable, "-c", CODE, backend, model, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one, eight = json.loads(done.stdout.splitlines()[-1]).values()
    return np.array(one), np.array(eight)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_eight_devices_train_what_one_trains(backend, tiny_manifest):
    variables = {}
    if backend == "jax":
        pytest.importorskip("jax")
        variables["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"
    folder = Path(tiny_manifest.folder)
    one, eight = spread(backend, "two_layer_cnn", folder, **variables)
    assert np.ptp(one) > 0
    np.testing.assert_allclose(eight, one, atol=TOLERANCE)


def test_a_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv(devices.VARIABLE, "gpu:7")
    with pytest.raises(InputError, match="no device 'gpu:7'; available: cpu:0, or all"):
        devices.chosen()
    with pytest.raises(InputError, match="`devices`: there is no device 'gpu:8'"):
        devices.chosen("gpu:8")


def test_without_a_choice_the_first_device_trains(monkeypatch):
    monkeypatch.delenv(devices.VARIABLE, raising=False)
    assert devices.chosen() == ("cpu:0",)
    monkeypatch.setenv(devices.VARIABLE, "all")
    assert devices.chosen() == ("cpu:0",)


def test_memory_that_runs_out_is_a_sentence_with_a_batch_size():
    import tensorflow as tf

    full = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
    with (
        pytest.raises(
            KerasfacesError, match=r"batches of 64 images: try batch_size=32"
        ),
        devices.memory(64),
    ):
        raise full
    with pytest.raises(KerasfacesError, match=r"size_px"), devices.memory(1):
        raise full
    with pytest.raises(ValueError, match="other"), devices.memory(64):
        raise ValueError("other")
