"""Several workers on one study, on this machine and on a cluster: killed, and lost."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from kerasfaces.run import trials as records

pytestmark = [pytest.mark.tf, pytest.mark.slow]

STUDY = '''"""A test's study."""
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.study import Study


def get_study():
    return Study(
        title="t", configure=configure, bases=("mobilenetv2",), oracle="bayesian",
        max_trials=9, median_after=2,
    )


def configure(hp, components):
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model = ModelConfig(
        size_px=32, taps=("block_1_expand_relu",), head=HeadConfig(units=(4,))
    )
    return TrainConfig(
        model=model, epochs=EPOCHS, batch_size=16, learning_rate=rate, patience=None
    )
'''
CLUSTER = """
import subprocess, sys, time
from pathlib import Path
from two_nodes import TwoNodes

nodes = TwoNodes()
command = [sys.executable, "-m", "kerasfaces.tune", *sys.argv[1:]]
command += ["--engine", "ray", "--address", nodes.engine.address]
search = subprocess.Popen(command)
folder = Path(sys.argv[-1])
while len(list(folder.glob("trial_*/logits.npz"))) < 3 and search.poll() is None:
    time.sleep(0.1)
nodes.lose_one()
print("a node was lost after", len(list(folder.glob("trial_*/logits.npz"))), "trials")
code = search.wait()
nodes.shutdown()
sys.exit(code)
"""


@pytest.fixture
def words(tiny_manifest, tiny_weights, tmp_path):
    def write(folder, epochs=300):
        text = STUDY.replace("EPOCHS", str(epochs))
        (tmp_path / "mine.py").write_text(text)
        return [
            *(str(tmp_path / "mine.py"), "--manifest", str(tmp_path / "manifest.csv")),
            *("--weights", str(tiny_weights), "-o", str(folder)),
        ]

    return write


def start(words):
    return subprocess.Popen(
        [sys.executable, "-m", "kerasfaces.tune", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition, seconds=240.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def workers_of(process):
    return [
        child
        for child in psutil.Process(process.pid).children()
        if "kerasfaces.core.engine" in " ".join(child.cmdline())
    ]


def finished(folder):
    trials = records.load_all(folder)
    return {t.trial_id: (t.values, t.score) for t in trials if t.score is not None}


def leaderboard(folder):
    table = pd.read_csv(folder / "leaderboard.csv", dtype={"trial": str})
    return table.drop(columns="seconds")


def test_two_workers_of_which_one_is_killed_then_the_driver(words, tmp_path):
    folder, whole = tmp_path / "o", tmp_path / "whole"
    command = [*words(folder), "--workers", "2"]
    driver = start(command)
    wait_for(lambda: finished(folder) and len(workers_of(driver)) == 2)
    workers_of(driver)[0].kill()
    wait_for(lambda: len(finished(folder)) >= 4)
    workers = workers_of(driver)
    driver.kill()
    _, log = driver.communicate()
    assert "a worker died" in log
    wait_for(lambda: not any(one.is_running() for one in workers), 30)
    before = finished(folder)
    driver = start(command)
    out, log = driver.communicate(timeout=400)
    assert driver.returncode == 0, log
    assert "winner: trial" in out
    assert before.items() <= finished(folder).items()
    again = start([*words(whole), "--workers", "2"])
    _, log = again.communicate(timeout=400)
    assert again.returncode == 0, log
    pd.testing.assert_frame_equal(leaderboard(folder), leaderboard(whole))


def test_a_cluster_of_two_nodes_of_which_one_is_lost(words, tmp_path, run_on_two_nodes):
    folder, whole = tmp_path / "o", tmp_path / "whole"
    done = run_on_two_nodes(CLUSTER, *words(folder), timeout_s=900)
    assert "a node was lost after" in done.stdout
    assert "a worker died" in done.stderr
    local = start([*words(whole), "--workers", "2"])
    _, log = local.communicate(timeout=400)
    assert local.returncode == 0, log
    pd.testing.assert_frame_equal(leaderboard(folder), leaderboard(whole))


def test_a_user_s_mistake_in_a_worker_is_one_sentence(words, tmp_path, tiny_images):
    """The features' cache cannot be written: nothing of it is a candidate's fault."""
    command = [*words(tmp_path / "o"), "--workers", "2"]
    cache = Path(os.environ["KERASFACES_CACHE"])
    cache.mkdir(exist_ok=True)
    (cache / "features").write_text("no folder")
    driver = start(command)
    _, log = driver.communicate(timeout=240)
    assert driver.returncode == 2
    assert "Traceback" not in log
    assert [line for line in log.splitlines() if line.startswith("error: ")]
