"""Training: cached equals end-to-end, killing changes nothing, mistakes are sentences."""

import dataclasses
import time

import keras
import numpy as np
import pytest

from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.dataset.batches import steps_per_epoch
from kerasfaces.features import engines
from kerasfaces.models import network
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.models.zoo import mobilenetv2
from kerasfaces.train import compiled, fit, loop, phase
from kerasfaces.train import config as train_config
from kerasfaces.train import data as datasets
from kerasfaces.train.config import TrainConfig

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def base_weights(tiny_weights):
    return mobilenetv2.ARCHITECTURE.find_weights(str(tiny_weights))


SMALL = TrainConfig(
    model=ModelConfig(
        size_px=32,
        taps=("block_1_expand_relu", "block_3_expand_relu"),
        pooling="mean_std",
        options=mobilenetv2.Options(alpha=0.35),
        head=HeadConfig(units=(4,), dropout=0.3, l2=1e-3),
    ),
    epochs=6,
    batch_size=8,
    learning_rate=0.01,
)


def weights_of(model):
    return [keras.ops.convert_to_numpy(weight) for weight in model.weights]


def end_to_end(model, data, split):
    pixels = data.images.store.gather(data.keys(data.readable(split))).astype("float32")
    return keras.ops.convert_to_numpy(model(pixels, training=False))[:, 0]


def test_cached_and_end_to_end_logits_agree(tiny_manifest, base_weights, tmp_path):
    data = datasets.load(tiny_manifest, SMALL.input_spec)
    trained = fit.train(SMALL, data, base_weights, tmp_path)
    for split in ("val", "test"):
        whole = end_to_end(trained.model, data, split)
        np.testing.assert_allclose(whole, trained.logits[split], atol=1e-4)
    assert trained.facts["agreement"] <= 1e-4
    assert trained.facts["engine"]


def test_the_base_is_computed_once(tiny_manifest, base_weights, tmp_path, monkeypatch):
    data = datasets.load(tiny_manifest, SMALL.input_spec)
    first = fit.train(SMALL, data, base_weights, tmp_path / "a")
    assert first.facts["features_cached"] == 0

    def forbidden(*_):
        raise AssertionError("features computed again")

    monkeypatch.setattr("kerasfaces.features.engines.choose", forbidden)
    other = dataclasses.replace(SMALL, seed=1, learning_rate=0.001)
    again = fit.train(other, data, base_weights, tmp_path / "b")
    assert again.facts["features_cached"] == len(data.rows)


class KilledError(BaseException):
    """Stands for a kill: nothing may catch it."""


@pytest.mark.parametrize("patience", [None, 1, 2])
def test_killed_in_any_epoch_the_result_is_the_same(
    tiny_manifest, base_weights, tmp_path, monkeypatch, patience
):
    monkeypatch.setattr(phase, "_CHECKPOINT_EVERY_S", -1.0)
    config = dataclasses.replace(SMALL, views=2, patience=patience)
    data = datasets.load(tiny_manifest, config.input_spec)
    expected = fit.train(config, data, base_weights, tmp_path / "whole")
    end_epoch = phase.PhaseState.end_epoch
    kills = iter([2, len(expected.history)])  # the last: nothing more is trained
    killed_at = [next(kills)]

    def kill(self, loss):
        stop = end_epoch(self, loss)
        if killed_at and len(self.rows) == killed_at[0]:
            killed_at[:] = [number for number in kills][:1]
            raise KilledError
        return stop

    monkeypatch.setattr(phase.PhaseState, "end_epoch", kill)
    for _ in range(2):
        with pytest.raises(KilledError):
            fit.train(config, data, base_weights, tmp_path / "killed")
    got = fit.train(config, data, base_weights, tmp_path / "killed")
    assert got.history == expected.history
    for a, b in zip(weights_of(got.model), weights_of(expected.model), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_seconds_of_a_training_are_those_of_all_calls(
    tiny_manifest, base_weights, tmp_path, monkeypatch
):
    monkeypatch.setattr(phase, "_CHECKPOINT_EVERY_S", -1.0)
    data = datasets.load(tiny_manifest, SMALL.input_spec)
    end_epoch = phase.PhaseState.end_epoch
    killed = []

    def kill(self, loss):
        stop = end_epoch(self, loss)
        if len(killed) < 2:
            killed.append(time.sleep(1.0))
            raise KilledError
        return stop

    monkeypatch.setattr(phase.PhaseState, "end_epoch", kill)
    started = time.monotonic()
    for _ in range(2):
        with pytest.raises(KilledError):
            fit.train(SMALL, data, base_weights, tmp_path)
    seconds = time.monotonic() - started
    found = fit.train(SMALL, data, base_weights, tmp_path).facts["train_seconds"]
    assert seconds - 0.2 <= found <= time.monotonic() - started + 0.2


def test_the_compiled_loop_is_keras_own(
    tiny_manifest, base_weights, tmp_path, monkeypatch
):
    config = dataclasses.replace(
        SMALL, views=2, batch_size=7
    )  # a last batch of its own
    data = datasets.load(tiny_manifest, config.input_spec)
    # Chunks of one batch: the loop over chunks is part of the test.
    monkeypatch.setattr(compiled, "_CHUNK_BYTES", 1)
    ours = fit.train(config, data, base_weights, tmp_path / "ours")
    monkeypatch.setattr(
        loop,
        "_compiled_epochs",
        lambda phase, progress, add: loop._fit(
            phase, progress, add, steps_per_epoch(phase.source, config.batch_size)
        ),
    )
    keras_own = fit.train(config, data, base_weights, tmp_path / "keras")
    assert len(ours.history) == len(keras_own.history) == config.epochs
    for a, b in zip(ours.history, keras_own.history, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)
        assert a["val_loss"] == pytest.approx(b["val_loss"], rel=1e-4)


def test_early_stopping_takes_the_best_epoch(tiny_manifest, base_weights, tmp_path):
    config = dataclasses.replace(SMALL, epochs=40, patience=2, learning_rate=0.1)
    data = datasets.load(tiny_manifest, config.input_spec)
    trained = fit.train(config, data, base_weights, tmp_path)
    best = min(row["val_loss"] for row in trained.history)
    assert len(trained.history) < 40
    labels = data.labels(data.readable("val"))
    logits = trained.logits["val"]
    assert np.mean(np.logaddexp(0, logits) - labels * logits) == pytest.approx(
        best, rel=1e-4
    )


@pytest.mark.slow
def test_unfreezing_trains_the_end_of_the_base_only(
    tiny_manifest, base_weights, tmp_path
):
    config = configs.override(SMALL, ["unfreeze=2", "fine_tune_epochs=1", "epochs=1"])
    config = dataclasses.replace(config, fine_tune_learning_rate=0.01)
    data = datasets.load(tiny_manifest, config.input_spec)
    trained = fit.train(config, data, base_weights, tmp_path)
    fresh = mobilenetv2.ARCHITECTURE.build(config.model, base_weights, 0)
    changed = [
        layer.name
        for layer, old in zip(
            network.base_of(trained.model).layers,
            network.base_of(fresh).layers,
            strict=True,
        )
        if any(
            not np.array_equal(a, b)
            for a, b in zip(weights_of(layer), weights_of(old), strict=True)
        )
    ]
    assert changed == [
        "block_3_expand"
    ]  # of the last two with weights, one is BatchNorm
    np.testing.assert_allclose(
        end_to_end(trained.model, data, "test"), trained.logits["test"], atol=1e-4
    )


@pytest.mark.slow
def test_none_trains_the_whole_network(tiny_manifest, tmp_path):
    config = configs.override(SMALL, ["epochs=2"])
    data = datasets.load(tiny_manifest, config.input_spec)
    trained = fit.train(config, data, None, tmp_path)
    fresh = mobilenetv2.ARCHITECTURE.build(config.model, None, 0)
    norm = "bn_Conv1"
    moved, start = (
        network.base_of(model).get_layer(norm).moving_mean
        for model in (trained.model, fresh)
    )
    assert not np.array_equal(
        keras.ops.convert_to_numpy(moved), keras.ops.convert_to_numpy(start)
    )
    with pytest.raises(InputError, match="`unfreeze` goes with base weights"):
        fit.train(dataclasses.replace(config, unfreeze=1), data, None, tmp_path / "b")


def test_divergence_is_a_sentence(tiny_manifest, base_weights, tmp_path):
    config = configs.override(SMALL, ["learning_rate=99", "model.head.l2=3e38"])
    data = datasets.load(tiny_manifest, config.input_spec)
    with pytest.raises(
        InputError, match=r"diverged in epoch \d of head .* lower the learning"
    ):
        fit.train(config, data, base_weights, tmp_path)


def test_damaged_checkpoint_is_a_sentence(tiny_manifest, base_weights, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "head.npz").write_bytes(b"PK\x03\x04 cut")
    data = datasets.load(tiny_manifest, SMALL.input_spec)
    with pytest.raises(RunError, match=r"head\.npz is damaged .*features are kept"):
        fit.train(SMALL, data, base_weights, tmp_path)


def test_class_weights_balance_the_classes(tiny_manifest):
    rows = tiny_manifest.rows
    rows = rows[(rows["label"] == "real") | (rows.index % 3 == 0)].reset_index(
        drop=True
    )
    data = datasets.load(
        dataclasses.replace(tiny_manifest, rows=rows), SMALL.input_spec
    )
    source = fit.source(SMALL, data.labels(data.readable("train")), [])
    fake = source.labels == 1
    assert source.weights[fake].sum() == pytest.approx(source.weights[~fake].sum())
    plain = dataclasses.replace(SMALL, class_weights=False)
    assert set(fit.source(plain, source.labels, []).weights) == {1.0}


def test_presets_are_the_document_s(base_weights):
    paper = train_config.preset("kabber2023", "mobilenetv2")
    assert (paper.model.size_px, paper.model.taps, paper.learning_rate) == (
        180,
        (),
        5e-4,
    )
    assert (paper.epochs, paper.model.head.dropout) == (10, 0.05)
    resnet = train_config.preset("kabber2023", "resnet50")
    assert (resnet.model.head.units, resnet.learning_rate, resnet.epochs) == (
        (512,),
        0.01,
        10,
    )
    assert resnet.batch_size == 300
    with pytest.raises(
        InputError,
        match="describes mobilenetv2, resnet50, not 'vit'; add `model='mobilenetv2'` or",
    ):
        train_config.preset("kabber2023", "vit")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("epochs=0", "epochs: expected at least 1, got 0"),
        ("learning_rate=0", "learning_rate: expected more than 0"),
        ("patience=0", "patience: expected at least 1 or none"),
        ("unfreeze=-1", "unfreeze: expected at least 0"),
        ("false_alarm_rate=1", "false_alarm_rate: expected between 0 and 1"),
        ("model.size_px=16", r"model\.size_px: expected 32\.\.4096, got 16"),
        ("model.scales=0.5", "the base needs at least 32 px"),
        ("model.head.dropout=1", r"head\.dropout: expected 0 <= dropout < 1"),
        ("model.head.units=0", r"head\.units: expected widths of at least 1"),
        ("model.head.l2=-1", r"head\.l2: expected at least 0"),
        ("model.scales=-1", r"model\.scales: expected positive"),
    ],
)
def test_impossible_configurations_are_refused(key, message):
    with pytest.raises(InputError, match=message):
        configs.override(SMALL, [key])


def test_mixed_precision_without_a_gpu_says_so(base_weights, caplog):
    from kerasfaces.train import end_to_end

    config = dataclasses.replace(SMALL, mixed_precision=True)
    model = mobilenetv2.ARCHITECTURE.build(config.model, base_weights, 0)
    assert end_to_end.twin_of(config, model, base_weights, ("cpu:0",)) is model
    assert "on a GPU only and there is none: using float32" in caplog.text


@pytest.mark.slow
def test_half_precision_twin_trains_and_gives_its_weights_back(
    tiny_manifest, tmp_path, monkeypatch
):
    monkeypatch.setattr("kerasfaces.train.end_to_end._has_gpu", lambda: True)
    config = configs.override(SMALL, ["epochs=1", "mixed_precision=true"])
    data = datasets.load(tiny_manifest, config.input_spec)
    trained = fit.train(config, data, None, tmp_path)
    assert keras.config.dtype_policy().name == "float32"
    assert {weight.dtype for weight in trained.model.trainable_weights} == {"float32"}
    np.testing.assert_allclose(
        end_to_end(trained.model, data, "test"), trained.logits["test"], atol=1e-4
    )


@pytest.mark.slow
def test_tensorboard_logs_are_written_on_request(tiny_manifest, base_weights, tmp_path):
    data = datasets.load(tiny_manifest, SMALL.input_spec)
    fit.train(SMALL, data, base_weights, tmp_path, tensorboard=True)
    assert list((tmp_path / "tensorboard").rglob("events.*"))


def test_features_that_are_not_finite_are_a_sentence(
    tiny_manifest, base_weights, tmp_path, monkeypatch
):
    def bad(extractor, *_):
        width = extractor.output_shape[-1]
        return engines.Engine(
            "bad", lambda batch: np.full((len(batch), width), np.nan), 8
        )

    monkeypatch.setattr(engines, "choose", bad)
    data = datasets.load(tiny_manifest, SMALL.input_spec)
    with pytest.raises(InputError, match="bad gave features that are not finite"):
        fit.train(SMALL, data, base_weights, tmp_path)
