"""One trial: what counts as stopped, what is not trained, how far it is."""

import dataclasses

import numpy as np
import pytest

from kerasfaces.features.readers import InMemory
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.run import trials as records
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.examples import Examples
from kerasfaces.tune import progress_table
from kerasfaces.tune.tasks import Training

pytestmark = pytest.mark.tf


class Features:
    """The same features for every configuration."""

    def __init__(self):
        labels = (np.arange(40) % 2).astype(np.float32)
        values = np.random.default_rng(0).normal(0, 1, (40, 6)).astype(np.float32)
        values += labels[:, None]
        train, val = InMemory(values[:30]), InMemory(values[30:])
        self._features = Examples(
            train=[train],
            train_labels=labels[:30],
            train_sources=["a"] * 30,
            train_families=["a"] * 30,
            val=val,
            val_labels=labels[30:],
            val_families=["a"] * 10,
            engine="an engine",
        )

    def data(self, config):
        pass

    def features(self, config):
        return self._features


@pytest.fixture
def train(small_config, tmp_path):
    """Train a trial of small heads."""
    from kerasfaces.tune.trainer import Trainer

    def run(config=small_config, **changes):
        given = {
            "trial_id": "0000",
            "config": config,
            "values": {},
            "seeds": (0,),
            "folder": tmp_path,
            "objective": "val_auc",
            "sign": 1.0,
        }
        return Trainer(Features()).train(Training(**given | changes))

    return run


@pytest.mark.parametrize(
    ("after", "n_seeds", "stopped"), [(3, 1, False), (2, 1, True), (3, 2, True)]
)
def test_stopped_is_what_lost_something(after, n_seeds, stopped, train):
    """Judged hopeless in its last epoch a training is as long as any (3 epochs)."""
    limits = [None] * (after - 1) + [2.0]
    result = train(seeds=range(n_seeds), limits=limits)
    assert [one.summary["stopped"] for one in result.repeats] == [stopped]
    assert len(result.repeats[0].rows) == after


def test_who_reaches_the_limit_goes_on(train):
    result = train(seeds=(0, 1), limits=[0.0])
    assert [len(one.rows) for one in result.repeats] == [3, 3]
    assert not any(one.summary["stopped"] for one in result.repeats)
    result = train(limits=[0.1], objective="val_loss", sign=-1.0)
    assert [len(one.rows) for one in result.repeats] == [1]


def test_a_trial_of_two_parts_is_as_one(train, small_config, tmp_path):
    """As Hyperband's rounds; the second part on a machine that does not see the folder."""
    config = dataclasses.replace(small_config, epochs=6, patience=2)
    (whole,) = train(config).repeats
    folder = tmp_path / "first"
    folder.mkdir()
    train(config, epochs_now=2, folder=folder)
    state = records.checkpoint_of(folder, 0).read_bytes()
    part = train(
        config, epochs_now=6, folder=tmp_path / "unseen", checkpoints={0: state}
    )
    assert part.repeats[0].rows == whole.rows
    np.testing.assert_array_equal(part.repeats[0].logits, whole.logits)
    assert part.checkpoints.keys() == {0}
    assert not (tmp_path / "unseen").exists()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("optimizer", {"optimizer": "sgd"}),
        ("schedule", {"schedule": "plateau"}),
        ("train_base", {"train_base": True}),
        (
            "model.head.output",
            {"model": ModelConfig(head=HeadConfig(output="softmax"))},
        ),
        (
            "model.head.batch_norm",
            {"model": ModelConfig(head=HeadConfig(batch_norm=True))},
        ),
    ],
)
def test_what_a_study_cannot_train_is_a_sentence(name, changes, train):
    message = train(TrainConfig(**changes)).message
    assert message.startswith(f"{name}: a study trains plain heads")


def test_epochs_of_another_call_do_not_count_for_the_pace():
    """Hyperband goes on at epoch 27 of 81; a killed trial at its checkpoint."""
    progress = {
        "repeat": 1,
        "repeats": 1,
        "epoch": 30,
        "epochs": 81,
        "trained": 3,
        "seconds": 6.0,
    }
    assert progress_table.trial_left_s(progress) == pytest.approx(2.0 * 51)
