"""A training continued by another backend or device says so, once and for good."""

import logging

import pytest

from kerasfaces.features import engines
from kerasfaces.models.config import ModelConfig
from kerasfaces.train import data as datasets
from kerasfaces.train import fit, phase
from kerasfaces.train.config import TrainConfig

pytestmark = pytest.mark.tf


class Killed(Exception):
    """Stands for a kill between two epochs."""


def test_an_end_to_end_training_continued_elsewhere_says_so(
    tiny_manifest, tmp_path, monkeypatch, caplog
):
    config = TrainConfig(
        model=ModelConfig(name="two_layer_cnn", size_px=32), epochs=3, batch_size=16
    )
    data = datasets.load(tiny_manifest, config.input_spec)
    monkeypatch.setattr(phase, "_CHECKPOINT_EVERY_S", 0.0)
    ends = phase.PhaseState.end_epoch

    def train(name, killed_after=None):
        monkeypatch.setattr(engines, "keras_name", lambda: name)

        def end_epoch(self, loss):
            done = ends(self, loss)
            if len(self.rows) == killed_after:
                raise Killed
            return done

        monkeypatch.setattr(phase.PhaseState, "end_epoch", end_epoch)
        caplog.clear()
        with caplog.at_level(logging.WARNING, "kerasfaces"):
            return fit.train(config, data, None, tmp_path)

    with pytest.raises(Killed):
        train("keras 3 jax cpu", 1)
    with pytest.raises(Killed):
        train("keras 3 tensorflow", 2)
    said = "began with keras 3 jax cpu and went on after epoch 1 with keras 3 tensorfl"
    assert said in caplog.text
    done = train("keras 3 tensorflow")
    assert "went on" not in caplog.text
    assert len(done.facts["continued"]) == 1
    assert said in done.facts["continued"][0]
    assert done.facts["engine"] == "keras 3 tensorflow"
    assert train("keras 3 tensorflow").facts["continued"] == done.facts["continued"]
