"""A study's hours count whatever ends a call: at most a few seconds before a kill are lost."""

import os
import signal
import subprocess
import sys
import time

import pytest

from kerasfaces.core.errors import RunError
from kerasfaces.core.files import write_text
from kerasfaces.tune import records
from kerasfaces.tune.tuner import StudyTuner

pytestmark = pytest.mark.tf

LOST_S = 3.0  # two and the time to write
_WORKER = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import configure
from kerasfaces.tune import run, space
from kerasfaces.tune.offer import Offer
from kerasfaces.tune.study import Study
from kerasfaces.tune.tuner import StudyTuner

study = Study(title="test", configure=configure, bases=("mobilenetv2",), oracle="grid")
offer = Offer(weights={{"mobilenetv2": "none"}}, found={{"mobilenetv2": None}})
oracle = run.new_oracle(study)
oracle.prepare(study, space.declare(study, offer), Path({folder!r}), 1)

def train(self, trial, callbacks=()):
    print("running", flush=True)
    time.sleep(600)

StudyTuner.run_trial = train
StudyTuner(oracle, study, offer, None, None, Path({folder!r}), {worker!r}).search()
"""


def spent_s(make_study, make_oracle, folder, n_workers=1):
    """Return what a later call finds spent of a long budget."""
    oracle = make_oracle(make_study(budget_h=1.0), folder, n_workers)
    return 3600 - oracle.budget_left_s()


def killed_after(seconds, folder, worker):
    """Start a worker on a study, kill it in its first trial; return how long that took."""
    tests = os.path.dirname(__file__)
    code = _WORKER.format(tests=tests, folder=str(folder), worker=worker)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline().strip() == "running"
        started = time.monotonic()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return time.monotonic() - started


def test_seconds_before_a_kill_count(make_study, make_oracle, tmp_path):
    """Call after call is killed in the same trial; nothing is ever finished."""
    told = 0.0
    for seconds, worker in ((5.0, "tuner0"), (0.1, "tuner0"), (4.0, "a/b: 1")):
        told += killed_after(seconds, tmp_path, worker)
        found = spent_s(make_study, make_oracle, tmp_path)
        assert told - 3 * LOST_S <= found <= told + 1, (found, told)
    assert found > 5
    assert not list(tmp_path.glob("trial_*/result.json"))


@pytest.fixture
def search(make_study, make_oracle, fake_result, offer, monkeypatch, tmp_path):
    """Return a function that runs trials of some seconds, and how many."""

    def run(seconds, count, n_workers=1, worker="tuner0"):
        study = make_study(oracle="random", max_trials=count)
        oracle = make_oracle(study, tmp_path, n_workers)

        def train(self, trial, callbacks=()):
            time.sleep(seconds)
            fake_result(tmp_path, trial, study)

        monkeypatch.setattr(StudyTuner, "run_trial", train)
        StudyTuner(oracle, study, offer, None, None, tmp_path, worker).search()

    return run


def test_of_workers_that_share_a_machine_the_clock_counts(
    search, make_study, make_oracle, tmp_path
):
    search(0.5, 2, n_workers=2)
    assert spent_s(make_study, make_oracle, tmp_path, 1) == pytest.approx(0.5, abs=0.25)
    search(0.5, 3, n_workers=1, worker="other machine")
    assert spent_s(make_study, make_oracle, tmp_path, 2) == pytest.approx(1.0, abs=0.35)


def test_a_trial_that_was_deleted_has_been_paid(
    search, make_study, make_oracle, tmp_path
):
    search(0.6, 1)
    before = spent_s(make_study, make_oracle, tmp_path)
    for path in sorted(tmp_path.glob("trial_*/*")):
        path.unlink()
    (tmp_path / "trial_0000").rmdir()
    assert spent_s(make_study, make_oracle, tmp_path) == pytest.approx(before)
    assert before > 0.5


def test_a_study_of_before_is_counted_by_its_trials(
    make_study, make_oracle, fake_result, tmp_path
):
    oracle = make_oracle(make_study(), tmp_path)
    trial = oracle.create_trial("t")
    fake_result(tmp_path, trial, make_study())  # 0.2 s
    oracle.end_trial(trial)
    assert spent_s(make_study, make_oracle, tmp_path) == pytest.approx(0.2)


@pytest.mark.parametrize("text", ["{}", "[]", '{"seconds": "many"}', "{"])
def test_a_damaged_clock_is_named(make_study, make_oracle, tmp_path, text):
    write_text(tmp_path / "clocks" / "tuner0.json", text)
    with pytest.raises(RunError, match=r"tuner0\.json"):
        spent_s(make_study, make_oracle, tmp_path)


def test_what_a_kill_leaves_of_a_clock_is_removed(tmp_path):
    write_text(tmp_path / "clocks" / ".tuner0.json.tmp.1", "{")
    records.clean(tmp_path)
    assert not list((tmp_path / "clocks").iterdir())
