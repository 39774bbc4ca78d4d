"""The search: an oracle asks for trials, workers train them, records hold the results.

One process drives it. It does the same whether it was killed before or not: it asks the
oracle for trial after trial, and where a trial's record has a result, it takes that instead
of training. Where choices depend on results, the oracle learns them in the order of the
trials' numbers, so that nothing depends on which worker was faster, or died.
"""

import dataclasses
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from keras_tuner import HyperParameters
from keras_tuner.engine.base_tuner import BaseTuner
from numpy.typing import NDArray

from kerasfaces.core import clock
from kerasfaces.core import config as configs
from kerasfaces.core.engine import Pool
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json
from kerasfaces.run import trials as records
from kerasfaces.run.trials import COMPLETED, FAILED, RUNNING, Result, Trial
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune import oracles
from kerasfaces.tune.bayesian import Bayesian
from kerasfaces.tune.components import Components
from kerasfaces.tune.hyperband import PARENT, Hyperband
from kerasfaces.tune.space import configuration, with_values
from kerasfaces.tune.study import Study
from kerasfaces.tune.tasks import Training

logger = logging.getLogger(__name__)

RETRIES = 2  # of a trial whose worker died
_ORACLES: dict[str, type[oracles.StudyOracle]] = {
    "grid": oracles.Grid,
    "random": oracles.Random,
    "hyperband": Hyperband,
    "bayesian": Bayesian,
}
_BEST = 5  # trials that keep their weights
_FAILURES = 10  # in a row, after which something else must be wrong
_MEDIAN_AFTER = 5  # completed trials before the median rule stops any
Curve = NDArray[np.float64]


class Search:
    """A study's trials: those that are over, those that are open, those to come."""

    def __init__(
        self,
        study: Study,
        components: Components,
        space: HyperParameters,
        folder: Path,
        *,
        tensorboard: bool = False,
    ) -> None:
        """Read the trials that are there.

        Raises:
            RunError: A trial's file is damaged.
        """
        self.study, self.folder = study, folder
        self._clock = folder / "clock.json"
        self._components, self._space = components, space
        self._tensorboard = tensorboard
        for path in folder.glob("trial_*/progress.json"):
            path.unlink(missing_ok=True)  # of a call that was killed
        self.trials = {one.trial_id: one for one in records.load_all(folder)}
        recorded = {key: trial.values for key, trial in self.trials.items()}
        self.oracle = _ORACLES[study.oracle](study, space, recorded)
        self._open: list[str] = []  # trials the oracle waits for, in their order

        self._no_more = False
        self._n_failures = 0
        self._new: set[str] = set()  # trials that ended in this call
        # Running means of completed trials, first seed, for the median rule.
        self._curves: list[Curve] = []
        self._started = time.monotonic()

    def run(self, pool: Pool[Training, Result]) -> None:
        """Run trials until there are none left.

        Raises:
            KerasfacesError: What a user can mend.
            OSError: The disk is full, or the like.
        """
        self._started = time.monotonic()
        with TemporaryDirectory() as folder, clock.clock(self._clock):
            BaseTuner(self.oracle, directory=folder)  # nothing reads the oracle's files
            while True:
                while len(self._open) < pool.n_workers and self._begin(pool):
                    pass
                if not self._open:
                    break
                while not (over := self._over()):
                    outcome = pool.next()
                    died = f"Its worker died {RETRIES + 1} times ({outcome.error})."
                    result = outcome.value or Result(message=died)
                    self._finish(str(outcome.key), result)
                for trial_id in over:
                    self._end(trial_id)

    def ended(self) -> list[Trial]:
        """Return the trials that are over, by number."""
        trials = [trial for _, trial in sorted(self.trials.items())]
        return [trial for trial in trials if trial.status != RUNNING]

    def completed(self) -> list[Trial]:
        """Return the trials with a score, best first."""
        return records.ranked(self.ended(), self.study.sign)

    def failed(self) -> list[Trial]:
        """Return the trials with a reason instead, by number."""
        return [trial for trial in self.ended() if trial.status == FAILED]

    def running(self) -> list[Trial]:
        """Return the trials that workers have, by number."""
        trials = [self.trials[key] for key in sorted(self._open)]
        return [trial for trial in trials if trial.status == RUNNING]

    def budget_left_s(self) -> float | None:
        """Return for how long trials may still be started; None for ever."""
        if self.study.budget_h is None:
            return None
        return max(0.0, 3600 * self.study.budget_h - clock.spent_s(self._clock))

    def passed_s(self) -> float:
        """Return the seconds since this call began."""
        return time.monotonic() - self._started

    def left_s(self) -> float | None:
        """Return how long the search will take at most; None where nobody knows."""
        total, budget_s = self.oracle.total(), self.budget_left_s()
        if not total or not self._new:
            return budget_s
        left_s = self.passed_s() / len(self._new) * (total - len(self.ended()))
        return left_s if budget_s is None else min(left_s, budget_s)

    def _begin(self, pool: Pool[Training, Result]) -> bool:
        """Open the next trial; return whether there was one."""
        number = len(self.oracle.trials)
        record = self.trials.get(f"{number:04d}")
        if self._no_more or (record is None and self.budget_left_s() == 0):
            return False
        trial = self.oracle.create_trial(f"trial {number}")
        if trial.status != RUNNING:
            self._no_more = trial.status == oracles.STOPPED
            return False
        trial_id = trial.trial_id
        self._open.append(trial_id)
        if record is not None and record.status != RUNNING:
            self._report(trial_id, record.repeats)
            return True
        record = records.write(self.folder, trial.get_state())
        self.trials[trial_id] = record
        try:
            values = with_values(self._space, record.own_values)
            config = configuration(self.study, self._components, values)
        except InputError as error:
            self._finish(trial_id, Result(message=str(error)))
            return True
        record = dataclasses.replace(record, config=configs.to_dict(config))
        self.trials[trial_id] = record
        pool.submit(trial_id, self._training(record, config))
        return True

    def _training(self, record: Trial, config: TrainConfig) -> Training:
        checkpoints: dict[int, bytes] = {}
        if PARENT in record.values:
            parent = records.folder_of(self.folder, str(record.values[PARENT]))
            # Without one it is trained from the start: the same numbers, later.
            checkpoints = records.checkpoints(parent, self.study.seeds)
        return Training(
            trial_id=record.trial_id,
            config=config,
            values=record.values,
            seeds=self.study.seeds,
            folder=records.folder_of(self.folder, record.trial_id).resolve(),
            objective=self.study.objective,
            sign=self.study.sign,
            epochs_now=record.epochs_now,
            checkpoints=checkpoints,
            limits=_median_limits(self._curves, self.study.median_after),
            tensorboard=self._tensorboard,
        )

    def _over(self) -> list[str]:
        """Return open trials whose end the oracle may learn now."""
        in_order = self.oracle.in_order or self.study.median_after is not None
        asked = self._open[:1] if in_order else self._open
        return [key for key in asked if self.trials[key].status != RUNNING]

    def _finish(self, trial_id: str, result: Result) -> None:
        """Record a trial that is over."""
        summaries = [one.summary for one in result.repeats]
        self._report(trial_id, summaries)
        state = self.oracle.trials[trial_id].get_state()
        state["status"] = FAILED if result.message else COMPLETED
        state["message"] = result.message or None
        if summaries:
            scores = [one[self.study.objective] for one in summaries]
            state["score"] = float(np.mean(scores))
            state["best_step"] = summaries[0]["kept_epoch"]
        config = self.trials[trial_id].config
        self.trials[trial_id] = trial = records.finish(
            self.folder, state, result, config
        )
        self._new.add(trial_id)
        self._log(trial)

    def _report(self, trial_id: str, repeats: Sequence[Json]) -> None:
        """Give KerasTuner a trial's metrics: the mean over its repeats counts."""
        for one in repeats:
            names = sorted({*records.METRICS, self.study.objective})
            metrics = {name: one[name] for name in names}
            self.oracle.update_trial(trial_id, metrics, step=repeats[0]["kept_epoch"])

    def _end(self, trial_id: str) -> None:
        """Give the oracle a trial that is over.

        Raises:
            RunError: Too many failed in a row.
        """
        self._open.remove(trial_id)
        trial, record = self.oracle.trials[trial_id], self.trials[trial_id]
        trial.status, trial.message = record.status, record.message or None
        self.oracle.end_trial(trial)
        history = pd.DataFrame()
        if record.status == COMPLETED and self.study.median_after is not None:
            history = records.history(self.folder, record)
        if not history.empty:
            first = history[history["seed"] == history["seed"].iloc[0]]
            means = first[self.study.objective].expanding().mean()
            self._curves.append(means.to_numpy())
        best = {each.trial_id for each in self.completed()[:_BEST]}
        # Trials of an earlier call keep their files until the oracle knows them.
        known = [each for each in self.ended() if each.trial_id in self.oracle.trials]
        records.prune(self.folder, known, best, self.oracle.continued())
        if trial_id in self._new:
            failed = record.status == FAILED
            self._n_failures = self._n_failures + 1 if failed else 0
        if self._n_failures >= _FAILURES:
            raise RunError(
                f"{_FAILURES} trials in a row failed, the last one because: {record.message} "
                "Nothing is lost; mend the study or its data and run again."
            )

    def _log(self, trial: Trial) -> None:
        text = f"failed: {trial.message.rstrip('.')}"
        if trial.score is not None:
            best, stopped = self.completed()[0], " (stopped)" * trial.stopped
            text = f"{self.study.objective} {trial.score:.4f}{stopped}, best "
            text += f"{best.score:.4f} ({best.trial_id})"
        if (left_s := self.left_s()) is not None:
            text += f", about {left_s:.0f} s left"
        n_ended, total = len(self.ended()), self.oracle.total() or "?"
        logger.info("trial %s, %d of %s: %s", trial.trial_id, n_ended, total, text)


def _median_limits(curves: Sequence[Curve], after: int | None) -> list[float | None]:
    """Return per epoch the median of running means (Golovin et al. 2017, 3.1.1).

    A trial's best value must reach it. None before epoch `after`; empty stops no trial.
    """
    if after is None or len(curves) < _MEDIAN_AFTER:
        return []
    medians = pd.DataFrame(curves).ffill(axis=1).median().tolist()
    return [None] * (after - 1) + medians[after - 1 :]
