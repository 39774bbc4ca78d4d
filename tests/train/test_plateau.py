"""SGD, the plateau schedule and fields that came later."""

import dataclasses
import math

import numpy as np
import pytest

from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.models.config import ModelConfig
from kerasfaces.train import data as datasets
from kerasfaces.train import fit, phase
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.phase import Plateau


def test_the_rate_falls_after_more_than_patience_bad_epochs():
    plateau = Plateau(0.5, 2)
    losses = [1.0, 0.9, 0.95, 0.9, 0.91, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]
    factors = [plateau.factor_after(loss) for loss in losses]
    assert [i for i, factor in enumerate(factors) if factor == 0.5] == [4, 8, 11]


def test_a_gain_too_small_to_count_is_none():
    plateau = Plateau(0.5, 0)
    assert plateau.factor_after(1.0) == 1.0
    assert plateau.factor_after(1.0 - 1e-5) == 0.5
    assert plateau.factor_after(0.99) == 1.0


def test_every_field_is_in_the_dictionary_and_comes_back():
    assert configs.from_dict(TrainConfig, configs.to_dict(TrainConfig())) == (
        TrainConfig()
    )
    changed = TrainConfig(optimizer="sgd", train_base=True)
    assert configs.to_dict(changed)["optimizer"] == "sgd"
    assert configs.from_dict(TrainConfig, configs.to_dict(changed)) == changed
    assert configs.digest(changed) != configs.digest(TrainConfig())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"momentum": 1.0}, "momentum: expected 0 to less than 1, got 1.0"),
        ({"plateau_factor": -0.1}, "plateau_factor: expected 0 to less than 1"),
        ({"plateau_patience": -1}, "plateau_patience: expected at least 0, got -1"),
    ],
)
def test_ranges(changes, words):
    with pytest.raises(InputError, match=words):
        TrainConfig(**changes)


SMALL = TrainConfig(
    model=dataclasses.replace(
        ModelConfig(), name="logistic_regression", size_px=32, pooling="flatten"
    ),
    epochs=5,
    batch_size=16,
    learning_rate=0.05,
    optimizer="sgd",
    schedule="plateau",
    plateau_patience=0,
    patience=None,
)


class KilledError(BaseException):
    """Stands for a kill: nothing may catch it."""


def history_of(config, manifest, folder):
    data = datasets.load(manifest, config.input_spec)
    return fit.train(config, data, None, folder)


@pytest.mark.tf
def test_sgd_on_a_plateau_goes_on_after_a_kill(tiny_manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(phase, "_CHECKPOINT_EVERY_S", 0.0)
    whole = history_of(SMALL, tiny_manifest, tmp_path / "a")
    assert any(
        not math.isclose(row["loss"], whole.history[0]["loss"]) for row in whole.history
    )
    end_epoch = phase.PhaseState.end_epoch

    def killed(self, loss):
        stop = end_epoch(self, loss)
        if len(self.rows) == 3:
            raise KilledError
        return stop

    monkeypatch.setattr(phase.PhaseState, "end_epoch", killed)
    with pytest.raises(KilledError):
        history_of(SMALL, tiny_manifest, tmp_path / "b")
    monkeypatch.setattr(phase.PhaseState, "end_epoch", end_epoch)
    again = history_of(SMALL, tiny_manifest, tmp_path / "b")
    assert again.history == whole.history
    for split, logits in whole.logits.items():
        np.testing.assert_array_equal(again.logits[split], logits)


@pytest.mark.tf
def test_the_plateau_lowers_the_optimizer_s_rate(tiny_manifest, tmp_path, monkeypatch):
    rates = []
    end_epoch = phase.PhaseState.end_epoch

    def watched(self, loss):
        stop = end_epoch(self, loss)
        rates.append(float(self.phase.model.optimizer.learning_rate))
        return stop

    monkeypatch.setattr(phase.PhaseState, "end_epoch", watched)
    monkeypatch.setattr(Plateau, "factor_after", lambda self, loss: 0.5)
    history_of(SMALL, tiny_manifest, tmp_path / "run")
    np.testing.assert_allclose(rates, [0.05 * 0.5**i for i in range(1, 6)], rtol=1e-5)


@pytest.mark.tf
def test_train_base_starts_from_the_weights_and_changes_them(
    tiny_manifest, tiny_weights, tmp_path
):
    from kerasfaces.models import network
    from kerasfaces.models.zoo import mobilenetv2

    found = mobilenetv2.ARCHITECTURE.find_weights(str(tiny_weights))
    config = TrainConfig(
        model=ModelConfig(
            size_px=32,
            options=mobilenetv2.Options(alpha=0.35),
            taps=("block_1_expand_relu",),
        ),
        epochs=1,
        learning_rate=1e-3,
        train_base=True,
    )
    data = datasets.load(tiny_manifest, config.input_spec)
    trained = fit.train(config, data, found, tmp_path)
    assert [row["phase"] for row in trained.history] == ["scratch"]
    start = mobilenetv2.ARCHITECTURE.build(config.model, found)
    pairs = zip(
        network.base_of(trained.model).get_weights(),
        network.base_of(start).get_weights(),
        strict=True,
    )
    steps = [float(np.abs(a - b).max()) for a, b in pairs]
    assert 0 < max(steps) < 0.1
    whole = dataclasses.replace(config, unfreeze=3)
    with pytest.raises(InputError, match="with train_base=true trains all"):
        fit.train(whole, data, found, tmp_path / "other")
