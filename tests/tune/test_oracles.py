"""Oracles: killed anywhere, the same trials complete, none twice; leases; failures."""

import json
import time

import pytest

from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.tune import durable, records

pytestmark = pytest.mark.tf

ORACLES = {
    "grid": {"repeats": 2},
    "random": {"max_trials": 10},
    "hyperband": {"max_epochs": 9},
    "bayesian": {"max_trials": 9},
}


class KilledError(BaseException):
    """Stands for kill -9: nothing may catch it."""


@pytest.fixture
def drive(make_oracle, fake_result):
    """Run a study's trials; returns how many were trained in this process."""

    def run(study, folder):
        oracle = make_oracle(study, folder)
        trained = 0
        while True:
            trial = oracle.create_trial("tuner0")
            if trial.status == durable.STOPPED:
                oracle.save()
                return trained
            assert trial.status == records.RUNNING
            if records.read_result(folder, trial.trial_id) is None:
                fake_result(folder, trial, study)
                trained += 1
            oracle.end_trial(trial)

    return run


def state_of(folder):
    found = {}
    for trial in records.load_all(folder):
        assert trial.status == records.COMPLETED
        values = {
            k: v for k, v in trial.hyperparameters.values.items() if k != "tuner/round"
        }
        found[trial.trial_id] = (values, trial.score)
    return found


@pytest.mark.parametrize("name", ORACLES)
def test_killed_at_any_write_the_same_trials_complete(
    name, make_study, drive, tmp_path, monkeypatch
):
    study = make_study(oracle=name, **ORACLES[name])
    n_trials = drive(study, tmp_path / "whole")
    expected = state_of(tmp_path / "whole")
    assert len(expected) == n_trials >= 9
    real = write_json
    left, late = [0], [False]

    def mortal(path, value):
        left[0] -= 1
        if left[0] == 0 and not late[0]:
            raise KilledError
        real(path, value)
        if left[0] == 0:
            raise KilledError

    for module in (durable, records):
        monkeypatch.setattr(module, "write_json", mortal)
    trained = 0
    counted = records.write_result

    def count(*arguments, **options):
        nonlocal trained
        counted(*arguments, **options)
        trained += 1  # its result.json is there: never again

    monkeypatch.setattr(records, "write_result", count)
    folder = tmp_path / "killed"
    for number in range(1, 400):
        left[0], late[0] = 1 + number % 6, number % 2 == 0  # after and before writing
        try:
            drive(study, folder)
        except KilledError:
            continue
        break
    assert number > n_trials / 2
    assert state_of(folder) == expected
    assert trained <= n_trials


def test_the_grid_is_every_point_in_order(make_study, drive, tmp_path):
    drive(make_study(), tmp_path)
    values = [t.hyperparameters.values for t in records.load_all(tmp_path)]
    assert len(values) == 3 + 6
    assert values[0] == {"kind": "plain", "learning_rate": 0.003}
    assert values[4] == {"kind": "wide", "learning_rate": 0.003, "units": 6}
    assert len({json.dumps(value) for value in values}) == 9


def test_hyperband_promotes_the_best(make_study, drive, tmp_path):
    drive(make_study(oracle="hyperband", max_epochs=9), tmp_path)
    trials = {t.trial_id: t for t in records.load_all(tmp_path)}
    rounds = {}
    for trial in trials.values():
        v = trial.hyperparameters.values
        rounds.setdefault((v["tuner/bracket"], v["tuner/round"]), []).append(trial)
    sizes = {key: len(found) for key, found in rounds.items()}
    assert sizes == {(2, 0): 9, (2, 1): 3, (2, 2): 1, (1, 0): 5, (1, 1): 2, (0, 0): 3}
    best = sorted(rounds[2, 0], key=lambda t: -t.score)[:3]
    parents = {t.hyperparameters.values["tuner/trial_id"] for t in rounds[2, 1]}
    assert parents == {t.trial_id for t in best}
    epochs = {
        key: t[0].hyperparameters.values["tuner/epochs"] for key, t in rounds.items()
    }
    assert (epochs[2, 0], epochs[2, 1], epochs[2, 2]) == (1, 3, 9)


def test_trials_cut_short_come_last(make_study, make_oracle, drive, tmp_path):
    study = make_study(oracle="hyperband", max_epochs=9)
    drive(study, tmp_path)
    for path in tmp_path.glob("trial_*/trial.json"):
        state = read_json(path)
        epochs = state["hyperparameters"]["values"]["tuner/epochs"]
        state["repeats"][0]["epochs"] = epochs
        write_json(path, state | {"config": {"epochs": 9}})
    found = make_oracle(study, tmp_path).completed()
    epochs = [t.hyperparameters.values["tuner/epochs"] for t in found]
    full = epochs.count(9)
    assert epochs[:full] == [9] * full
    assert full == 6
    assert [t.partial for t in found] == [each < 9 for each in epochs]
    scores = [t.score for t in found]
    assert scores[:full] == sorted(scores[:full], reverse=True)
    assert scores[full:] == sorted(scores[full:], reverse=True)


@pytest.mark.parametrize("name", ["random", "bayesian"])
def test_as_many_trials_as_asked_for_and_more_on_request(
    name, make_study, drive, tmp_path
):
    drive(make_study(oracle=name, max_trials=11), tmp_path)
    first = state_of(tmp_path)
    assert len(first) == 11
    assert drive(make_study(oracle=name, max_trials=13), tmp_path) == 2
    assert {k: v for k, v in state_of(tmp_path).items() if k in first} == first


def test_a_small_space_ends_when_it_is_exhausted(
    make_study, drive, tmp_path, small_config
):
    def two_points(hp, offer):
        hp.Choice("kind", ["a", "b"])
        return small_config

    study = make_study(oracle="random", max_trials=50, configure=two_points)
    assert drive(study, tmp_path) == 2


def test_bayesian_finds_the_better_half(make_study, make_oracle, fake_result, tmp_path):
    study = make_study(oracle="bayesian", max_trials=30)
    oracle = make_oracle(study, tmp_path)
    chosen = []
    started = time.monotonic()
    while (trial := oracle.create_trial("t")).status != durable.STOPPED:
        values = trial.hyperparameters.values
        chosen.append(values["learning_rate"])
        fake_result(tmp_path, trial, study)
        path = records.folder_of(tmp_path, trial.trial_id) / "result.json"
        result = read_json(path)
        result["repeats"][0]["val_auc"] = min(1.0, values["learning_rate"] * 8)
        write_json(path, result)
        oracle.end_trial(trial)
    early, late = chosen[:6], chosen[-10:]
    assert sum(late) / len(late) > sum(early) / len(early)
    assert max(chosen) > 0.08
    assert time.monotonic() - started < 60


def test_only_the_best_keep_their_weights(make_study, drive, tmp_path):
    drive(make_study(), tmp_path)
    trials = sorted(records.load_all(tmp_path), key=lambda t: -t.score)
    kept = {p.parent.name for p in tmp_path.glob("trial_*/weights.npz")}
    assert kept == {f"trial_{t.trial_id}" for t in trials[:5]}
    assert not list(tmp_path.glob("trial_*/result.json"))
    assert len(list(tmp_path.glob("trial_*/logits.npz"))) == 9


def test_repeats_are_inside_one_trial(make_study, drive, tmp_path):
    drive(make_study(repeats=3, seed=5), tmp_path)
    state = read_json(tmp_path / "trial_0000" / "trial.json")
    (observed,) = state["metrics"]["metrics"]["val_auc"]["observations"]
    assert len(observed["value"]) == 3
    assert state["score"] == pytest.approx(sum(observed["value"]) / 3)
    assert [one["seed"] for one in state["repeats"]] == [5, 6, 7]
    from keras_tuner.engine.trial import Trial

    theirs = Trial.load(str(tmp_path / "trial_0000" / "trial.json"))
    assert theirs.score == state["score"]  # KerasTuner reads it


def test_a_silent_worker_s_trial_goes_to_another(
    make_study, make_oracle, fake_result, tmp_path
):
    study = make_study()
    oracle = make_oracle(study, tmp_path)
    oracle.leases.limit_s = 0.2
    lost = oracle.create_trial("a")
    other = oracle.create_trial("b")
    assert other.trial_id != lost.trial_id
    for _ in range(4):
        time.sleep(0.1)
        oracle.get_trial(other.trial_id)  # b's heartbeat
    found = oracle.create_trial("c")
    assert found.trial_id == lost.trial_id
    fake_result(tmp_path, found, study)
    oracle.end_trial(found)
    oracle.end_trial(lost)  # a was not dead after all
    assert len(oracle.ended()) == 1
    assert oracle.create_trial("c").trial_id not in (lost.trial_id, other.trial_id)


def test_a_trial_that_kills_its_workers_fails_with_a_reason(
    make_study, make_oracle, tmp_path
):
    oracle = make_oracle(make_study(), tmp_path)
    for name in ("a", "b", "c"):
        assert oracle.create_trial(name).trial_id == "0000"
        oracle.release(name)
    (trial,) = oracle.ended()
    assert trial.status == records.FAILED
    assert "Three workers died" in trial.message
    assert oracle.create_trial("d").trial_id == "0001"


def test_a_worker_asking_twice_gets_the_same_trial(make_study, make_oracle, tmp_path):
    oracle = make_oracle(make_study(), tmp_path)
    assert oracle.create_trial("a").trial_id == oracle.create_trial("a").trial_id


def test_many_failures_in_a_row_stop_the_study(
    make_study, make_oracle, fake_result, tmp_path
):
    study = make_study(oracle="random", max_trials=50)
    oracle = make_oracle(study, tmp_path)

    def fail():
        trial = oracle.create_trial("a")
        fake_result(tmp_path, trial, study, message="It is too wide.")
        oracle.end_trial(trial)

    for _ in range(9):
        fail()
    with pytest.raises(RunError, match=r"10 trials in a row failed.*too wide"):
        fail()


@pytest.mark.parametrize("content", ["{", "{}", '{"trial_id": "0007"}', "[1]"])
def test_a_damaged_trial_is_named(content, make_study, make_oracle, drive, tmp_path):
    study = make_study()
    drive(study, tmp_path)
    path = tmp_path / "trial_0003" / "trial.json"
    path.write_text(content)
    with pytest.raises(RunError, match=r"trial_0003/trial\.json is damaged .*delete"):
        make_oracle(study, tmp_path)


@pytest.mark.parametrize("name", ORACLES)
def test_a_deleted_trial_is_tried_again(name, make_study, drive, tmp_path):
    import shutil

    study = make_study(oracle=name, **ORACLES[name])
    drive(study, tmp_path)
    before = state_of(tmp_path)
    for gone in ("0002", "0004"):
        shutil.rmtree(tmp_path / f"trial_{gone}")
        assert drive(study, tmp_path) == 1
        assert state_of(tmp_path) == before


def test_the_median_rule(make_study, make_oracle, fake_result, tmp_path):
    study = make_study(oracle="random", max_trials=50, median_after=2)
    oracle = make_oracle(study, tmp_path)
    for _ in range(6):
        trial = oracle.create_trial("a")
        fake_result(tmp_path, trial, study)
        oracle.end_trial(trial)
    trial = oracle.create_trial("a")

    def report(value, step):
        return oracle.update_trial(trial.trial_id, {"val_auc": value}, step).status

    assert report(0.0, 1) == records.RUNNING  # too early
    assert report(0.0, 2) == durable.STOPPED
    assert report(1.0, 3) == records.RUNNING  # its best was high
    assert oracle.get_trial(trial.trial_id).status == records.RUNNING


def test_a_budget_in_hours_ends_a_study(make_study, drive, tmp_path):
    study = make_study(budget_h=0.5 / 3600)
    assert drive(study, tmp_path) == 3  # 0.2 s each


def test_out_of_patience_in_a_round_s_last_epoch_is_not_cut_short(
    make_study, make_oracle, tmp_path
):
    study = make_study(oracle="hyperband", max_epochs=9)
    oracle = make_oracle(study, tmp_path)
    trial = oracle.create_trial("t")
    trial.hyperparameters.values[records.EPOCHS] = 3
    trial.config = {"epochs": 9, "patience": 2}
    trial.repeats = [{"epochs": 3, "kept_epoch": 1, "stopped": False}]
    assert not trial.partial
    trial.repeats[0]["kept_epoch"] = 2  # one epoch of patience is left
    assert trial.partial
    trial.config["patience"] = None
    assert trial.partial
