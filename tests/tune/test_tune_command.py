"""Studies on tiny images through the real command."""

import dataclasses
import errno
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from kerasfaces.cli.tune import main
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import read_json
from kerasfaces.run import trials as records
from kerasfaces.train.config import TrainConfig

pytestmark = pytest.mark.tf

STUDY = '''"""A test's study."""
import dataclasses
import time
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.study import Study


def get_study():
    return Study(
        title="t", configure=configure, bases=("mobilenetv2",), oracle="grid", repeats=2
    )


def configure(hp, components):
    rate = hp.Choice("learning_rate", [0.003, 0.03])
    taps = hp.Choice("taps", ["1", "3"])
    pooling = hp.Choice("pooling", ["mean", "mean_std"])
    model = ModelConfig(
        size_px=32,
        taps=tuple(f"block_{i}_expand_relu" for i in ((1,) if taps == "1" else (3, 1))),
        pooling=pooling,
        head=HeadConfig(units=(4,), dropout=0.2),
    )
    return TrainConfig(
        model=model, epochs=2, batch_size=16, learning_rate=rate, patience=None
    )
'''


@pytest.fixture
def study(tmp_path):
    def write(*changes):
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "mine.py"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def words(study, tiny_manifest, tiny_weights, tmp_path):
    return [
        *(str(study()), "--manifest", str(tmp_path / "manifest.csv")),
        *("--weights", str(tiny_weights), "-o", str(tmp_path / "o")),
    ]


def trials_in(folder):
    return {t.trial_id: (t.values, t.score, t.status) for t in records.load_all(folder)}


@pytest.mark.slow
def test_from_a_study_to_a_run_folder(words, tmp_path, capsys, monkeypatch):
    assert main(words) == 0
    told = capsys.readouterr().out
    command = re.search("^kerasfaces train .*$", told, re.MULTILINE)[0]
    folder = tmp_path / "o"
    result = read_json(folder / "result.json")
    assert f"winner: trial {result['trial']}" in told
    assert "optimism" in told
    # the run that the study chose is the run that train makes
    assert result["validation"] == pytest.approx(
        records.load(folder / f"trial_{result['trial']}" / "trial.json").repeats[0][
            "val_auc"
        ],
        abs=0.03,
    )
    assert (folder / "winner" / "report.html").exists()
    table = pd.read_csv(folder / "leaderboard.csv", dtype={"trial": str})
    assert len(table) == 8
    assert (table["n_seeds"] == 2).all()
    assert table["score"].is_monotonic_decreasing
    assert table["like_best"].iloc[0]
    history = pd.read_csv(folder / "trial_0000" / "history.csv")
    assert list(history["seed"]) == [0, 0, 1, 1]
    # the command is that run
    from kerasfaces.cli.train import parser, settings_of

    stage, *arguments = shlex.split(command)[1:]
    parsed = parser().parse_args(arguments)
    trained = read_json(folder / "winner" / "config.json")["train"]
    wanted = configs.from_dict(TrainConfig, trained)
    model = configs.updated(wanted.model, {"options": {"alpha": None}})
    assert stage == "train"
    assert parsed.output is None  # not the finished run's folder
    assert settings_of(parsed).configuration() == dataclasses.replace(
        wanted, model=model
    )
    # and again: nothing is trained, the same is told
    from kerasfaces.tune.trainer import Trainer

    monkeypatch.setattr(Trainer, "train", None)
    assert main(words) == 0
    assert capsys.readouterr().out == told


@pytest.mark.slow
def test_columns_of_the_superset_are_the_candidates_features(
    tiny_manifest, tiny_weights, small_config
):
    from kerasfaces.tune.components import Components
    from kerasfaces.tune.feature_sets import FeatureSets

    stock = Components.of(("mobilenetv2",), [str(tiny_weights)], "", None)

    def candidate(taps, pooling, scales=(1.0,)):
        model = dataclasses.replace(
            small_config.model, taps=taps, pooling=pooling, scales=scales
        )
        return dataclasses.replace(small_config, model=model)

    one, three = "block_1_expand_relu", "block_3_expand_relu"
    candidates = [
        candidate((one,), "mean_std"),
        candidate((three, one), "mean", (1.0, 2.0)),
        candidate((), "mean"),
    ]
    shared = FeatureSets(tiny_manifest, stock, candidates)
    for config in candidates:
        alone = FeatureSets(tiny_manifest, stock, [config])
        ours, theirs = shared.features(config), alone.features(config)
        assert ours.width == theirs.width
        np.testing.assert_allclose(ours.val.values, theirs.val.values, atol=2e-3)
        np.testing.assert_allclose(
            ours.train[0].values, theirs.train[0].values, atol=2e-3
        )


def test_a_failed_candidate_is_recorded_and_the_study_goes_on(
    study, words, tmp_path, capsys
):
    study(
        ("repeats=2", "repeats=1"),
        ('["mean", "mean_std"]', '["mean"]'),
        ("(3, 1)", "(99,)"),
        ("[0.003, 0.03]", "[0.003, 90.0]"),
    )
    assert main(words) == 0
    table = pd.read_csv(tmp_path / "o" / "leaderboard.csv", dtype={"trial": str})
    failed = table[table["status"] == "failed"]
    assert len(failed) == 2
    assert failed["reason"].str.contains("has no layer 'block_99_expand_relu'").all()
    assert "2 failed, e.g. trial" in capsys.readouterr().out


@pytest.mark.slow
def test_memory_running_out_is_the_candidate_s_failure(
    words, tmp_path, monkeypatch, capsys
):
    from kerasfaces.tune.feature_sets import FeatureSets

    features = FeatureSets.features

    def hungry(self, config):
        if config.model.pooling == "mean_std":
            raise MemoryError
        return features(self, config)

    monkeypatch.setattr(FeatureSets, "features", hungry)
    assert main(words) == 0
    assert "4 failed, e.g. trial 0001: Memory ran out." in capsys.readouterr().out


def test_all_failed_is_a_sentence(words, study):
    study(("block_{i}_expand", "block_9{i}_expand"))
    with pytest.raises(
        RunError, match=r"All 8 trials failed, .* has no layer 'block_91"
    ):
        main(words)


def test_an_unexpected_error_keeps_its_traceback_and_the_trial(
    words, tmp_path, monkeypatch
):
    from kerasfaces.tune.feature_sets import FeatureSets

    def break_down(*_):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(FeatureSets, "features", break_down)
    with pytest.raises(ZeroDivisionError, match="ours"):
        main(words)
    assert [status for _, _, status in trials_in(tmp_path / "o").values()] == [
        "RUNNING"
    ]


@pytest.mark.slow
def test_a_full_disk_loses_no_finished_trial(words, tmp_path, monkeypatch):
    real = records.finish
    written = []

    def full(folder, state, *arguments):
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device", "logits.npz")
        written.append(state["trial_id"])
        return real(folder, state, *arguments)

    monkeypatch.setattr(records, "finish", full)
    with pytest.raises(OSError, match="No space left"):
        main(words)
    before = trials_in(tmp_path / "o")
    assert [value[2] for value in before.values()] == ["COMPLETED"] * 3 + ["RUNNING"]
    monkeypatch.setattr(records, "finish", real)
    assert main(words) == 0
    after = trials_in(tmp_path / "o")
    assert len(after) == 8
    assert {k: after[k] for k in list(before)[:3]} == dict(list(before.items())[:3])


def test_keras_tuner_s_chief_is_refused(words, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    with pytest.raises(InputError, match=r"KERASTUNER_ORACLE_IP .* --engine ray\.$"):
        main(words)
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
def test_tensorboard_gets_keras_tuner_s_folders(words, tmp_path):
    assert main([*words, "--tensorboard", "--max-trials", "1"]) == 0
    logs = tmp_path / "o" / "tensorboard" / "0000" / "execution0"
    assert any(logs.rglob("events.out.tfevents*"))


def start(words, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "kerasfaces.tune", *words],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def wait_for(found, seconds=90.0):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("oracle", ["grid", "hyperband", "bayesian"])
def test_kill_9_and_the_same_command_again(oracle, words, study, tmp_path):
    more = {"hyperband": "max_epochs=4, factor=2", "bayesian": "max_trials=8"}
    study(
        (
            'oracle="grid", repeats=2',
            f'oracle="{oracle}", {more.get(oracle, "repeats=2")}',
        ),
        ("epochs=2", "epochs=4"),
        ("[0.003, 0.03]", "[0.003, 0.01, 0.03, 0.1, 0.2]"),
    )
    folder = tmp_path / "o"
    expected = [*words[:-1], str(tmp_path / "whole")]
    assert main(expected) == 0
    n_trials = len(trials_in(tmp_path / "whole"))
    for done in (0, 3, n_trials - 1):
        process = start(words)
        wait_for(lambda: len(list(folder.glob("trial_*/trial.json"))) > done)  # noqa: B023
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert main(words) == 0
    ours, theirs = trials_in(folder), trials_in(tmp_path / "whole")
    assert ours.keys() == theirs.keys()
    for key, (values, score, _) in ours.items():
        assert values == theirs[key][0]
        assert score == pytest.approx(theirs[key][1], abs=1e-6)
    assert not list(folder.rglob(".*.tmp.*"))
    assert not list(folder.glob("trial_*/checkpoint*"))


@pytest.mark.slow
def test_a_store_adds_its_channels_to_the_space(
    tiny_manifest, tiny_weights, tmp_path, capsys
):
    import fake_channels

    store = fake_channels.make(tmp_path / "store", tiny_manifest.files())
    text = (
        "from kerasfaces.tune import frozen\n"
        "from kerasfaces.tune.study import Study\n"
        "def get_study():\n"
        "    return Study(title='t', configure=frozen.configure, oracle='random',\n"
        "                 bases=('mobilenetv2',), max_trials=6, median_after=2)\n"
    )
    (tmp_path / "mine.py").write_text(text)
    words = [
        *(str(tmp_path / "mine.py"), "--manifest", str(tmp_path / "manifest.csv")),
        *("--weights", str(tiny_weights), "--store", str(store)),
        *("-o", str(tmp_path / "o")),
    ]
    assert main(words) == 0
    space = read_json(tmp_path / "o" / "study.json")["space"]
    assert space["inputs"]["values"] == ["rgb", "lnp", "rgb,lnp"]
    assert "size_px" not in space
    assert f"--store {store}" in capsys.readouterr().out
