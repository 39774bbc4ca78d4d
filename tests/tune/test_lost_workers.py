"""What the chief believes when workers die, lag behind, or finish without being heard."""

import functools
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from kerasfaces.tune import records, tuner

pytestmark = pytest.mark.tf


def test_a_result_of_a_worker_that_died_at_once_is_taken(
    make_study, make_oracle, fake_result, tmp_path
):
    study = make_study()
    oracle = make_oracle(study, tmp_path)
    for name in ("a", "b"):
        oracle.create_trial(name)
        oracle.release(name)
    trial = oracle.create_trial("c")
    fake_result(tmp_path, trial, study)
    oracle.release("c")  # killed before it could say so
    (ended,) = oracle.ended()
    assert (ended.trial_id, ended.status) == ("0000", records.COMPLETED)
    assert oracle.create_trial("d").trial_id == "0001"


def test_an_end_before_its_result_is_seen_loses_no_trial(
    make_study, make_oracle, fake_result, tmp_path
):
    study = make_study(oracle="hyperband", max_epochs=3)
    oracle = make_oracle(study, tmp_path)
    trial = oracle.create_trial("a")
    oracle.end_trial(trial)  # a shared folder that lags behind
    assert oracle.create_trial("a").trial_id == trial.trial_id
    fake_result(tmp_path, trial, study)
    oracle.end_trial(trial)
    assert [each.trial_id for each in oracle.ended()] == [trial.trial_id]


def test_a_trial_is_never_seen_completed_without_its_score(
    make_study, make_oracle, fake_result, tmp_path
):
    study = make_study()
    oracle = make_oracle(study, tmp_path)
    trial = oracle.create_trial("a")
    fake_result(tmp_path, trial, study)
    asked, seen = threading.Event(), []

    class Metrics(type(oracle.trials["0000"].metrics)):
        def exists(self, name):  # in the midst of taking the result
            if not asked.is_set():
                asked.set()
                thread.start()
                thread.join(0.3)
            return super().exists(name)

    def look():  # as the live table's thread does
        seen.append([each.score for each in oracle.completed()])

    thread = threading.Thread(target=look)
    oracle.trials["0000"].metrics = Metrics()
    oracle.end_trial(trial)
    thread.join()
    assert len(seen) == 1
    assert None not in seen[0]


def test_a_budget_counts_each_call_s_hours_with_its_own_workers(
    make_study, make_oracle, fake_result, tmp_path
):
    study = make_study(oracle="random", budget_h=1 / 3600)

    def call(n_workers, n_trials):
        oracle = make_oracle(study, tmp_path, n_workers)
        before = oracle.budget_left_s()
        for _ in range(n_trials):
            trial = oracle.create_trial("a")
            fake_result(tmp_path, trial, study)  # 0.2 s
            oracle.end_trial(trial)
        return [round(each, 3) for each in (before, oracle.budget_left_s())]

    assert call(4, 4) == [1.0, 0.8]
    assert call(1, 2) == [0.8, 0.4]
    assert call(2, 2) == [0.4, 0.2]


def test_who_comes_second_changes_no_ended_trial(
    make_study, make_oracle, fake_result, small_config, monkeypatch, tmp_path
):
    """Both trained it; the entry and the logits must be of one and the same training."""
    study = make_study()
    oracle = make_oracle(study, tmp_path)
    trial = oracle.create_trial("a")
    folder = records.folder_of(tmp_path, trial.trial_id)

    def train(config, seeds, *rest):
        fake_result(tmp_path, trial, study)
        oracle.end_trial(trial)  # the first, given up too early, is alive after all
        row = {"epoch": 1, "loss": 0.0, "val_loss": 0.0}
        row |= {"val_auc": 0.0, "val_accuracy": 0.0}
        arrays = np.ones(40, np.float32), [np.ones(3, np.float32)]
        return [
            records.Repeat(
                seed=0,
                rows=[row],
                kept=0,
                logits=arrays[0],
                weights=arrays[1],
                seconds=1,
            )
        ]

    second = SimpleNamespace(
        **dict(
            _folder=tmp_path, _study=study, _offer=None, _space=trial.hyperparameters
        ),
        _material=SimpleNamespace(data=lambda config: None),
        _trainer=SimpleNamespace(train=train),
        _part=lambda trial: None,
    )
    monkeypatch.setattr(tuner, "configuration", lambda *given: small_config)
    second._is_over = functools.partial(tuner.StudyTuner._is_over, second)
    tuner.StudyTuner.run_trial(second, trial)
    assert not (folder / "result.json").exists()
    (ended,) = oracle.ended()
    assert np.unique(records.logits(tmp_path, ended)).size > 1


def test_a_result_written_while_the_chief_starts_again_stays(
    make_study, make_oracle, fake_result, monkeypatch, tmp_path
):
    study = make_study()
    trial = make_oracle(study, tmp_path).create_trial("a")
    real = records.read_result

    def looked_a_moment_too_early(folder, trial_id):
        found = real(folder, trial_id)
        fake_result(tmp_path, trial, study)  # by its worker, which waits for us
        return found

    with monkeypatch.context() as patch:
        patch.setattr(records, "read_result", looked_a_moment_too_early)
        again = make_oracle(study, tmp_path)
    again.end_trial(trial)
    assert [each.trial_id for each in again.ended()] == [trial.trial_id]
