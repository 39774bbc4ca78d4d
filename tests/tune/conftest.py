"""Studies on made-up results, and tiny real ones."""

import dataclasses
import hashlib

import numpy as np
import pytest

from kerasfaces.core import rng
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig

SMALL = TrainConfig(
    model=ModelConfig(
        size_px=32,
        taps=("block_1_expand_relu",),
        pooling="mean_std",
        head=HeadConfig(units=(4,), dropout=0.3, l2=1e-3),
    ),
    epochs=3,
    batch_size=16,
    learning_rate=0.01,
    patience=None,
)


def configure(hp, offer):
    """Two choices, one of them conditional."""
    kind = hp.Choice("kind", ["plain", "wide"])
    rate = hp.Choice("learning_rate", [0.003, 0.01, 0.03])
    with hp.conditional_scope("kind", ["wide"]):
        units = hp.Choice("units", [5, 6])
    head = HeadConfig(units=(units,) if kind == "wide" else ())
    model = dataclasses.replace(SMALL.model, head=head)
    return dataclasses.replace(SMALL, model=model, learning_rate=rate)


def wide_space(hp, offer):
    """Enough points for random draws not to collide."""
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    l2 = hp.Float("l2", 1e-4, 1e-1, sampling="log")
    kind = hp.Choice("kind", ["a", "b", "c"])
    units = {"a": (), "b": (4,), "c": (8,)}[kind]
    model = dataclasses.replace(SMALL.model, head=HeadConfig(units=units, l2=l2))
    return dataclasses.replace(SMALL, model=model, learning_rate=rate)


@pytest.fixture
def small_config():
    return SMALL


@pytest.fixture
def make_study():
    """A study by default on the conditional space."""
    from kerasfaces.tune.study import Study

    def make(**changes):
        given = {
            "title": "test",
            "configure": configure,
            "bases": ("mobilenetv2",),
            "oracle": "grid",
        }
        if changes.get("oracle", "grid") != "grid":
            given["configure"] = wide_space
        if changes.get("oracle") in ("random", "bayesian"):
            given["max_trials"] = 12
        return Study(**given | changes)

    return make


@pytest.fixture
def offer():
    from kerasfaces.tune.offer import Offer

    return Offer(weights={"mobilenetv2": "none"}, found={"mobilenetv2": None})


@pytest.fixture
def fake_result():
    """Write a trial's result without training: the same for the same values."""
    from kerasfaces.tune import records

    def write(folder, trial, study, *, epochs=4, message=""):
        values = dict(sorted(trial.hyperparameters.values.items()))
        values = {k: v for k, v in values.items() if not k.startswith("tuner/")}
        seed = int(hashlib.sha256(repr(values).encode()).hexdigest()[:8], 16)
        repeats = []
        for one in () if message else study.seeds:
            auc = rng.generator(seed, "auc", one).random(epochs)
            rows = [
                {
                    "phase": "head",
                    "epoch": i + 1,
                    "loss": 1.0 - value,
                    "val_loss": 1.0 - value,
                    "val_auc": float(value),
                    "val_accuracy": float(value),
                    "best": True,
                }
                for i, value in enumerate(auc)
            ]
            logits = rng.generator(seed, "logits", one).normal(size=40)
            repeats.append(
                records.Repeat(
                    seed=one,
                    rows=rows,
                    kept=epochs - 1,
                    logits=logits.astype(np.float32),
                    weights=[np.zeros(3, np.float32)],
                    seconds=0.1,
                )
            )
        records.write_result(
            folder, trial.trial_id, repeats, config={}, seconds=0.2, message=message
        )

    return write


@pytest.fixture
def make_oracle(offer):
    """Open a study's oracle on a folder, as a new process would."""
    from kerasfaces.tune import run, space

    def make(study, folder, n_workers=1):
        oracle = run.new_oracle(study)
        oracle.prepare(study, space.declare(study, offer), folder, n_workers)
        return oracle

    return make
