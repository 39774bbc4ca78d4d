"""What makes KerasTuner's oracles survive: every choice is a function of what is on disk.

trial.json, written atomically, is the only truth; oracle.json is KerasTuner's own view of
it. The values of trial n depend on the study's seed, n and the trials before it, so a
search that was killed goes on to the trials it would have tried.
"""

import itertools
import logging
import threading
from pathlib import Path
from typing import Any

from keras_tuner import HyperParameters, Objective

from kerasfaces.core import rng
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import write_json
from kerasfaces.tune import budget, outcome, records
from kerasfaces.tune.leases import Leases
from kerasfaces.tune.median import Curves
from kerasfaces.tune.records import COMPLETED, FAILED, RUNNING, Trial
from kerasfaces.tune.space import with_values
from kerasfaces.tune.study import Study

logger = logging.getLogger(__name__)

IDLE, STOPPED = "IDLE", "STOPPED"
_BEST = 5  # trials that keep their weights
_COLLISIONS = 200  # draws tried before, after which a space counts as exhausted
_FAILURES = 10  # in a row, after which something else must be wrong


class Durable:
    """What all our oracles share; put it before KerasTuner's class.

    Attributes:
        folder: The study's folder.
        study: The study.
        leases: Which worker has which trial.
    """

    def prepare(
        self, study: Study, space: Any, folder: Path, n_workers: int = 1
    ) -> None:
        """Take over: read the trials that are there.

        Raises:
            RunError: A trial's file is damaged.
        """
        self.study, self.folder, self._n_workers = study, folder, n_workers
        self.leases = Leases()
        self.hyperparameters = space
        self.objective = Objective(study.objective, study.direction)
        self.max_trials = study.max_trials
        self.trials: dict[str, Any] = {}
        self._mutex = threading.RLock()
        self._deaths: dict[str, int] = {}
        self._waiting: list[str] = []
        self._failures = 0
        self._exhausted = False
        self._curves = Curves(study)
        self.on_end: Any = lambda trial: None
        records.clean(folder)
        for trial in records.load_all(folder):
            self.trials[trial.trial_id] = trial
            trial.workers = trial.workers or n_workers
            if trial.status == RUNNING:
                result = records.read_result(folder, trial.trial_id)
                if result is None:
                    self._waiting.append(trial.trial_id)
                    continue  # its worker may be alive and write it now
                self._take(trial, result)
            elif trial.status == COMPLETED:
                self._curves.add(folder, trial)
            records.forget_result(folder, trial.trial_id)
        self._prune()

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return `status` and `values` of the trial with this number."""
        raise NotImplementedError

    # what KerasTuner's tuner and chief call

    def create_trial(self, tuner_id: str) -> Any:
        """Hand out a trial: one left by a dead worker, else a new one."""
        with self._mutex:
            self._expire()
            if held := self.leases.of(tuner_id):  # its answer was lost on the way
                return self.trials[held[0]]
            if self._waiting:
                trial = self.trials[self._waiting.pop(0)]
                trial.workers = self._n_workers
                self.leases.take(trial.trial_id, tuner_id)
                return trial
            status, values = self._next()
            number = self.next_number()
            trial = Trial(
                with_values(self.hyperparameters, values or {}), f"{number:04d}", status
            )
            trial.workers = self._n_workers
            if status == RUNNING:
                records.save(self.folder, trial)
                self.trials[trial.trial_id] = trial
                self.leases.take(trial.trial_id, tuner_id)
            return trial

    def update_trial(
        self, trial_id: str, metrics: dict[str, float], step: int = 0
    ) -> Any:
        """Take its best until now; the trial's status is STOPPED where it is hopeless."""
        with self._mutex:
            self.leases.renew(trial_id)
            best = float(metrics[self.study.objective])
            stop = self._curves.hopeless(int(step), best)
            trial = self.trials[trial_id]
            status = STOPPED if stop else RUNNING
            return Trial(trial.hyperparameters, trial_id, status)

    def end_trial(self, trial: Any) -> None:
        """Record a trial that is over; a second end changes nothing."""
        with self._mutex:
            held = self.trials[trial.trial_id]
            result = records.read_result(self.folder, trial.trial_id)
            self.leases.end(held.trial_id)
            if held.status != RUNNING:
                return
            if result is None:  # a shared folder that lags behind
                logger.warning(
                    "trial %s ended, but %s does not show its result (yet): handed out again",
                    held.trial_id,
                    records.folder_of(self.folder, held.trial_id),
                )
                self._wait_again(held.trial_id)
                return
            self._take(held, result)
            records.forget_result(self.folder, held.trial_id)
            if held.trial_id in self._waiting:
                self._waiting.remove(held.trial_id)
            self._failures = self._failures + 1 if held.status == FAILED else 0
            self._prune()
            self.on_end(held)
            if self._failures >= _FAILURES:
                raise RunError(
                    f"{self._failures} trials in a row failed, the last one because: "
                    f"{held.message} Nothing is lost; mend the study or its data and run again."
                )

    def get_trial(self, trial_id: str) -> Any:
        """Return a trial; who asks is alive."""
        with self._mutex:
            self.leases.renew(trial_id)
            return self.trials[trial_id]

    def get_space(self) -> Any:
        """Return the space, which is complete from the start."""
        return self.hyperparameters.copy()

    def update_space(self, hyperparameters: Any) -> None:
        """Change nothing: the space was declared before."""

    def save(self) -> None:
        """Write oracle.json in KerasTuner's format, for its own tools."""
        state = {
            "ongoing_trials": self.leases.holders(),
            "hyperparameters": self.hyperparameters.get_config(),
            "start_order": sorted(self.trials),
            "end_order": [each.trial_id for each in self.ended()],
            "seed": self.study.seed,
        }
        write_json(self.folder / "oracle.json", state)

    # for the chief

    def release(self, tuner_id: str) -> None:
        """Take back the trials of a worker that died."""
        with self._mutex:
            for key in self.leases.of(tuner_id):
                self._take_back(key, f"worker {tuner_id} died")

    def running(self) -> dict[str, Any]:
        """Return worker -> the trial it has."""
        with self._mutex:
            held = self.leases.holders()
            return {worker: self.trials[key] for worker, key in held.items()}

    # state

    def ended(self) -> list[Any]:
        """Return the trials that are over, in order of their numbers."""
        return [
            self.trials[key]
            for key in sorted(self.trials)
            if self.trials[key].status in (COMPLETED, FAILED)
        ]

    def completed(self) -> list[Any]:
        """Return the trials with a score, best first."""
        return records.ranked(self.ended(), self.study.direction)

    def total(self) -> int | None:
        """Return how many trials there will be; None where nobody knows."""
        return self.max_trials

    def _next(self) -> tuple[str, dict[str, Any] | None]:
        limit = self.max_trials is not None and len(self.trials) >= self.max_trials
        if limit or self._exhausted or self.budget_left_s() == 0:
            return (IDLE if len(self.leases) else STOPPED), None
        response = self.populate_space(f"{self.next_number():04d}")
        status = response["status"]
        if status == STOPPED:
            self._exhausted = True
            status = IDLE if len(self.leases) else STOPPED
        return status, response.get("values")

    def budget_left_s(self) -> float | None:
        """Return for how long trials may still be started; None for ever."""
        if self.study.budget_h is None:
            return None
        spent_s = budget.spent_s(self.folder, self.ended())
        return max(0.0, 3600 * self.study.budget_h - spent_s)

    def next_number(self) -> int:
        """Return the lowest number no trial has: a deleted trial is tried again."""
        return next(n for n in itertools.count() if f"{n:04d}" not in self.trials)

    def tried(self) -> set[str]:
        """Return the hashes of all values so far."""
        return {
            self._compute_values_hash(each.hyperparameters.values)  # type: ignore[attr-defined]
            for each in self.trials.values()
        }

    def first(self) -> dict[str, Any]:
        """Return the default values: what is there without a search comes first."""
        return dict(self.hyperparameters.values)

    def draw(self, *keys: str | int) -> dict[str, Any] | None:
        """Return random values not tried before; None where there seem to be none.

        Args:
            keys: What they are for: the same keys give the same values.
        """
        tried = self.tried()
        for attempt in range(_COLLISIONS):
            values = HyperParameters()
            for i, hp in enumerate(self.hyperparameters.space):
                values.merge([hp])
                if values.is_active(hp):
                    seed = rng.integer_seed(self.study.seed, *keys, attempt, i)
                    values.values[hp.name] = hp.random_sample(seed)
            if self._compute_values_hash(values.values) not in tried:  # type: ignore[attr-defined]
                return dict(values.values)
        return None

    def _take(self, trial: Trial, result: dict[str, Any]) -> None:
        outcome.enter(trial, result, self.study.objective)
        if trial.status == COMPLETED:
            self._curves.add(self.folder, trial)
        records.save(self.folder, trial)

    def _prune(self) -> None:
        """Keep weights of the best trials, and checkpoints somebody may continue."""
        best = {each.trial_id for each in self.completed()[:_BEST]}
        needed = self.continued()
        for trial in self.ended():
            folder = records.folder_of(self.folder, trial.trial_id)
            if trial.trial_id not in best:
                (folder / "weights.npz").unlink(missing_ok=True)
            if trial.trial_id not in needed:
                for path in folder.glob("checkpoint-*.npz"):
                    path.unlink(missing_ok=True)

    def continued(self) -> set[str]:
        """Return the trials that later ones may continue."""
        return set()

    def _expire(self) -> None:
        for key, why in self.leases.expired().items():
            self._take_back(key, why)

    def _take_back(self, trial_id: str, why: str) -> None:
        self.leases.end(trial_id)
        if records.read_result(self.folder, trial_id) is not None:
            self.end_trial(self.trials[trial_id])  # all but said
            return
        self._deaths[trial_id] = self._deaths.get(trial_id, 0) + 1
        if self._deaths[trial_id] >= 3:
            message = f"Three workers died on this trial ({why})."
            config = self.trials[trial_id].config
            records.write_result(
                self.folder, trial_id, [], config=config, seconds=0.0, message=message
            )
            self.end_trial(self.trials[trial_id])
            return
        logger.warning("trial %s is handed out again: %s", trial_id, why)
        self._wait_again(trial_id)

    def _wait_again(self, trial_id: str) -> None:
        self._waiting = sorted({*self._waiting, trial_id})
