"""Searches: killed anywhere, the same trials complete, none twice; lost workers; failures."""

import json
import shutil

import pytest

from kerasfaces.core.engine import Outcome
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.run import trials as records

pytestmark = pytest.mark.tf

ORACLES = {
    "grid": {"repeats": 2},
    "random": {"max_trials": 10},
    "hyperband": {"max_epochs": 9},
    "bayesian": {"max_trials": 11},
}


class KilledError(BaseException):
    """Stands for kill -9: nothing may catch it."""


class Unordered:
    """Workers of which now this one, now that one is the first; some die."""

    def __init__(self, task, n_workers, first=0, dies=()):
        self.n_workers, self._task, self._first = n_workers, task, first
        self._dies, self._items = set(dies), []

    def submit(self, key, item, *, retries=None):
        self._items.append((key, item))
        self.pending = len(self._items)
        assert self.pending <= self.n_workers

    def next(self, timeout_s=None):
        self._first += 1
        key, item = self._items.pop(self._first * 7 % len(self._items))
        self.pending = len(self._items)
        if key in self._dies:
            return Outcome(key, None, "its process was killed")
        return Outcome(key, self._task(item))


def state_of(folder):
    trials = records.load_all(folder)
    assert {trial.status for trial in trials} == {records.COMPLETED}
    return {trial.trial_id: (trial.values, trial.score) for trial in trials}


@pytest.mark.parametrize("name", ORACLES)
def test_killed_at_any_write_the_same_trials_complete(
    name, make_study, drive, drawn_results, tmp_path, monkeypatch
):
    study = make_study(oracle=name, **ORACLES[name])
    drive(study, tmp_path / "whole")
    expected = state_of(tmp_path / "whole")
    assert len(expected) >= 9
    left, late = [0], [False]

    def mortal(path, value):
        left[0] -= 1
        if left[0] == 0 and not late[0]:
            raise KilledError
        write_json(path, value)
        if left[0] == 0:
            raise KilledError

    monkeypatch.setattr(records, "write_json", mortal)
    folder, task = tmp_path / "killed", drawn_results()
    finished = []
    for number in range(1, 400):
        left[0], late[0] = 1 + number % 6, number % 2 == 0  # after and before writing
        try:
            drive(study, folder, task)
        except KilledError:
            again = [
                t.trial_id for t in records.load_all(folder) if t.score is not None
            ]
            assert set(finished) <= set(again)
            task.trained = [each for each in task.trained if each not in finished]
            assert len(set(task.trained) & set(finished)) == 0
            finished = again
            continue
        break
    assert number > len(expected) / 2
    assert state_of(folder) == expected
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("name", ORACLES)
def test_nothing_depends_on_who_finishes_first(name, make_study, drive, tmp_path):
    study = make_study(oracle=name, **ORACLES[name])
    states = []
    for first in range(3):
        folder = tmp_path / str(first)
        drive(study, folder, pool=lambda task, first=first: Unordered(task, 3, first))
        states.append(state_of(folder))
    assert states[0] == states[1] == states[2]
    if name in ("grid", "random"):
        drive(study, tmp_path / "alone")
        assert state_of(tmp_path / "alone") == states[0]


def test_a_search_by_several_that_was_killed_goes_on_alike(
    make_study, drive, drawn_results, tmp_path
):
    study = make_study(oracle="bayesian", max_trials=14, median_after=1)
    drive(study, tmp_path / "whole", pool=lambda task: Unordered(task, 3))
    folder = tmp_path / "killed"

    def killed(training):
        if len(task.trained) == 9:
            raise KilledError
        return ""

    task = drawn_results(message=killed)
    with pytest.raises(KilledError):
        drive(study, folder, task, pool=lambda task: Unordered(task, 3, 1))
    later = drawn_results()
    drive(study, folder, later, pool=lambda task: Unordered(task, 3, 2))
    assert len(later.trained) == 14 - 8
    assert state_of(folder) == state_of(tmp_path / "whole")


def test_the_grid_is_every_point_in_order(make_study, drive, tmp_path):
    drive(make_study(), tmp_path)
    values = [trial.values for trial in records.load_all(tmp_path)]
    assert len(values) == 3 + 6
    assert values[0] == {"kind": "plain", "learning_rate": 0.003}
    assert values[4] == {"kind": "wide", "learning_rate": 0.003, "units": 6}
    assert len({json.dumps(value) for value in values}) == 9


def test_hyperband_promotes_the_best(make_study, drive, tmp_path):
    drive(make_study(oracle="hyperband", max_epochs=9), tmp_path)
    rounds = {}
    for trial in records.load_all(tmp_path):
        key = trial.values["tuner/bracket"], trial.values["tuner/round"]
        rounds.setdefault(key, []).append(trial)
    sizes = {key: len(trials) for key, trials in rounds.items()}
    assert sizes == {(2, 0): 9, (2, 1): 3, (2, 2): 1, (1, 0): 5, (1, 1): 2, (0, 0): 3}
    best = sorted(rounds[2, 0], key=lambda t: -t.score)[:3]
    parents = {t.values["tuner/trial_id"] for t in rounds[2, 1]}
    assert parents == {t.trial_id for t in best}
    epochs = {key: t[0].values["tuner/epochs"] for key, t in rounds.items()}
    assert (epochs[2, 0], epochs[2, 1], epochs[2, 2]) == (1, 3, 9)


def test_a_round_of_hyperband_goes_on_with_those_that_work(
    make_study, drive, drawn_results, tmp_path
):
    study = make_study(oracle="hyperband", max_epochs=9)
    task = drawn_results(message=lambda t: "No." if int(t.trial_id) < 7 else "")
    search = drive(study, tmp_path, task)
    sizes = [t.values["tuner/round"] for t in search.completed()]
    assert sizes.count(1) == 2 + 2
    assert not list(tmp_path.glob("trial_*/checkpoint*"))


def test_trials_cut_short_come_last(make_study, open_search, drive, tmp_path):
    study = make_study(oracle="hyperband", max_epochs=9)
    drive(study, tmp_path)
    for path in tmp_path.glob("trial_*/trial.json"):
        state = read_json(path)
        epochs = state["hyperparameters"]["values"]["tuner/epochs"]
        state["repeats"][0]["epochs"] = epochs
        write_json(path, state | {"config": {"epochs": 9}})
    trials = open_search(study, tmp_path).completed()
    epochs = [t.values["tuner/epochs"] for t in trials]
    whole = epochs.count(9)
    assert epochs[:whole] == [9] * whole
    assert whole == 6
    assert [t.partial for t in trials] == [each < 9 for each in epochs]
    scores = [t.score for t in trials]
    assert scores[:whole] == sorted(scores[:whole], reverse=True)
    assert scores[whole:] == sorted(scores[whole:], reverse=True)


@pytest.mark.parametrize("name", ["random", "bayesian"])
def test_as_many_trials_as_asked_for_and_more_on_request(
    name, make_study, drive, drawn_results, tmp_path
):
    drive(make_study(oracle=name, max_trials=11), tmp_path)
    first = state_of(tmp_path)
    assert len(first) == 11
    task = drawn_results()
    drive(make_study(oracle=name, max_trials=13), tmp_path, task)
    assert len(task.trained) == 2
    assert {k: v for k, v in state_of(tmp_path).items() if k in first} == first


def test_a_small_space_ends_when_it_is_exhausted(
    make_study, drive, tmp_path, small_config
):
    def two_points(hp, components):
        hp.Choice("kind", ["a", "b"])
        return small_config

    study = make_study(oracle="random", max_trials=50, configure=two_points)
    assert len(drive(study, tmp_path).ended()) == 2


def test_bayesian_finds_the_better_half(make_study, drive, drawn_results, tmp_path):
    study = make_study(oracle="bayesian", max_trials=30)
    task = drawn_results(result=lambda t: min(1.0, t.values["learning_rate"] * 8))
    drive(study, tmp_path, task)
    rates = [t.values["learning_rate"] for t in records.load_all(tmp_path)]
    assert sum(rates[-10:]) / 10 > sum(rates[:6]) / 6
    assert max(rates) > 0.08


def test_only_the_best_keep_their_weights(make_study, drive, tmp_path):
    best = drive(make_study(), tmp_path).completed()[:5]
    kept = {p.parent.name for p in tmp_path.glob("trial_*/weights.npz")}
    assert kept == {f"trial_{t.trial_id}" for t in best}
    assert len(list(tmp_path.glob("trial_*/logits.npz"))) == 9


def test_repeats_are_inside_one_trial_that_keras_tuner_reads(
    make_study, drive, tmp_path
):
    drive(make_study(repeats=3, seed=5), tmp_path)
    path = tmp_path / "trial_0000" / "trial.json"
    state = read_json(path)
    (observed,) = state["metrics"]["metrics"]["val_auc"]["observations"]
    assert len(observed["value"]) == 3
    assert state["score"] == pytest.approx(sum(observed["value"]) / 3)
    assert [one["seed"] for one in state["repeats"]] == [5, 6, 7]
    from keras_tuner.engine.trial import Trial

    assert Trial.load(str(path)).score == state["score"]


def test_a_trial_that_kills_its_workers_fails_with_a_reason(
    make_study, drive, tmp_path
):
    search = drive(
        make_study(), tmp_path, pool=lambda t: Unordered(t, 2, dies=["0003"])
    )
    (trial,) = search.failed()
    assert trial.trial_id == "0003"
    assert trial.message == "Its worker died 3 times (its process was killed)."
    assert len(search.completed()) == 8


def test_many_failures_in_a_row_stop_the_study_each_time_it_is_run(
    make_study, drive, drawn_results, tmp_path
):
    study = make_study(oracle="random", max_trials=50)
    for n_trials in (10, 20):
        task = drawn_results(message=lambda training: "It is too wide.")
        with pytest.raises(RunError, match=r"10 trials in a row failed.*too wide"):
            drive(study, tmp_path, task)
        assert len(records.load_all(tmp_path)) == n_trials


@pytest.mark.parametrize("content", ["{", "{}", '{"trial_id": "0007"}', "[1]"])
def test_a_damaged_trial_is_named(content, make_study, open_search, drive, tmp_path):
    drive(make_study(), tmp_path, limit=5)
    (tmp_path / "trial_0003" / "trial.json").write_text(content)
    with pytest.raises(RunError, match=r"trial_0003/trial\.json is damaged .*delete"):
        open_search(make_study(), tmp_path)


@pytest.mark.parametrize("name", ORACLES)
def test_a_deleted_trial_is_tried_again(
    name, make_study, drive, drawn_results, tmp_path
):
    study = make_study(oracle=name, **ORACLES[name])
    drive(study, tmp_path)
    before = state_of(tmp_path)
    for gone in ("0002", "0004"):
        shutil.rmtree(tmp_path / f"trial_{gone}")
        task = drawn_results()
        drive(study, tmp_path, task)
        assert task.trained == [gone]
        assert state_of(tmp_path) == before


def test_the_median_rule_begins_after_five_trials(
    make_study, drive, drawn_results, tmp_path
):
    limits = {}

    def note(training):
        limits[training.trial_id] = list(training.limits)
        return ""

    study = make_study(oracle="random", max_trials=7, median_after=2)
    task = drawn_results(message=note, result=lambda t: 0.1 * int(t.trial_id))
    drive(study, tmp_path, task)
    assert limits["0004"] == []
    assert limits["0005"] == [None, *[pytest.approx(0.2)] * 3]
    assert limits["0006"] == [None, *[pytest.approx(0.25)] * 3]


def test_out_of_patience_in_a_round_s_last_epoch_is_not_cut_short():
    def trial(last_best, patience):
        return records.Trial(
            trial_id="0000",
            values={"tuner/epochs": 3},
            status=records.COMPLETED,
            config={"epochs": 9, "patience": patience},
            repeats=[{"epochs": 3, "kept_epoch": last_best, "stopped": False}],
        )

    assert not trial(1, 2).partial
    assert trial(2, 2).partial  # one epoch of patience is left
    assert trial(2, None).partial
