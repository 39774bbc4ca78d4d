"""Heads used again: the numbers of heads built anew."""

import dataclasses

import keras
import numpy as np
import pytest

from kerasfaces.core import rng
from kerasfaces.dataset.batches import Source, steps_per_epoch
from kerasfaces.models import network
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train import heads, loop
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.heads import moments

pytestmark = pytest.mark.tf


class Reader:
    def __init__(self, values):
        self.values, self.shape = values, values.shape[1:]

    def __len__(self):
        return len(self.values)

    def __call__(self, positions):
        return self.values[positions]


def example(n=50, width=7):
    random = rng.generator(0, "heads")
    labels = (np.arange(n) % 2).astype(np.float32)
    values = random.normal(3, 2, (n, width)) + labels[:, None]
    return Reader(values.astype(np.float32)), labels


def phase(model, features, labels, **more):
    source = Source(reads=[features], labels=labels, weights=np.ones_like(labels))
    training = {
        "epochs": 5,
        "batch_size": 16,
        "learning_rate": 0.02,
        "schedule": "constant",
        "patience": None,
        "seed": 3,
    }
    training |= {key: more.pop(key) for key in set(more) & set(training)}
    return loop.Phase(
        name="head",
        model=model,
        source=source,
        val_logits=lambda: heads.head_logits(model, features),
        val_labels=labels,
        config=TrainConfig(**training),
        **more,
    )


CONFIGS = [
    HeadConfig(l2=0.1),
    HeadConfig(units=(5, 4), dropout=0.4, l2=0.01),
    HeadConfig(dropout=0.2, standardize=False),
    HeadConfig(units=(3,), dropout=0.1),
]


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("config", CONFIGS)
def test_a_head_used_again_is_a_head_built_anew(config, schedule):
    features, labels = example()
    built = network.build_head(7, config, seed=3)
    ready_features = features
    heads.prepare(built, config, [features], labels, ["a"] * len(labels))
    if config.standardize:
        mean, variance = moments([features])
        ready_features = Reader((features.values - mean) / np.sqrt(variance))
    expected = loop.run_phase(phase(built, features, labels, schedule=schedule), None)
    pool = heads.Heads()
    for seed in (8, 3):  # the second is the first, set anew
        other = dataclasses.replace(config, l2=config.l2 * seed / 3)
        training = TrainConfig(
            model=ModelConfig(head=other if seed == 8 else config),
            seed=seed,
            batch_size=16,
            learning_rate=0.02,
            schedule=schedule,
            epochs=5,
        )
        ready = pool.get(7, training, 4)
        one = phase(
            ready.model,
            ready_features,
            labels,
            schedule=schedule,
            seed=seed,
            ready=ready.epochs,
        )
        assert steps_per_epoch(one.source, 16) == 4
        got = loop.run_phase(one, None)
    for ours, theirs in zip(got, expected, strict=True):
        del ours["phase"], theirs["phase"]
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5)


def test_settings_are_traced_once(monkeypatch):
    pool = heads.Heads()
    first, second = (
        pool.get(
            7,
            TrainConfig(
                model=ModelConfig(head=HeadConfig(units=(4,), dropout=rate, l2=rate)),
                batch_size=16,
                learning_rate=rate,
                schedule="constant",
            ),
            4,
        )
        for rate in (0.1, 0.2)
    )
    assert first.epochs is second.epochs
    monkeypatch.setattr(heads, "_MAX_SHAPES", 1)
    third = pool.get(8, TrainConfig(batch_size=16), 4)
    assert third.model.input_shape == (None, 8)
    assert len(pool._traced) == 1


def test_paused_and_continued_is_trained_at_once(tmp_path):
    features, labels = example()
    config = HeadConfig(units=(5,), dropout=0.4)
    options = {"schedule": "cosine", "patience": 4}
    whole = network.build_head(7, config, seed=0)
    expected = loop.run_phase(phase(whole, features, labels, **options), None)
    path = tmp_path / "state.npz"
    for now in (2, 4, None):
        model = network.build_head(7, config, seed=0)
        got = loop.run_phase(
            phase(model, features, labels, epochs_now=now, **options), path
        )
        assert len(got) == min(now or 5, len(expected))
    assert got == expected
    for a, b in zip(whole.weights, model.weights, strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b)
        )


def test_a_hopeless_training_is_stopped_for_good(tmp_path):
    features, labels = example()
    path = tmp_path / "state.npz"
    seen = []

    def stop(rows):
        seen.append([row["epoch"] for row in rows])
        return len(rows) == 3

    def train(**options):
        model = network.build_head(7, HeadConfig(), seed=0)
        told = phase(model, features, labels, stop=stop, **options)
        return loop.run_phase(told, path)

    assert len(train(epochs_now=1)) == 1
    for _ in range(2):  # stopped, and asked again as after a kill
        rows = train()
        assert [row.get("stopped", False) for row in rows] == [False, False, True]
    assert seen == [[1], [1, 2], [1, 2, 3]]


def test_many_shapes_are_traced_without_a_warning(caplog):
    """TensorFlow complains of functions that are traced by being called."""
    pool = heads.Heads()
    for width in range(3, 12):
        found = pool.get(width, TrainConfig(batch_size=4), 2)
        inputs, ones = np.ones((6, width), np.float32), np.ones((6, 1), np.float32)
        for _ in range(2):
            found.epochs._steps(inputs, ones, ones[:, 0])
    assert not caplog.messages
