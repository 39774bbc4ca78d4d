"""The search: an oracle asks for trials, workers train them, records hold the results.

One process drives it. It does the same whether it was killed before or not: it asks the
oracle for trial after trial, and where a trial's record has a result, it takes that instead
of training. Where choices depend on results, the oracle learns them in the order of the
trials' numbers, so that nothing depends on which worker was faster, or died.
"""

import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner import HyperParameters

from kerasfaces.core import clock
from kerasfaces.core import config as configs
from kerasfaces.core.engine import Pool
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune import oracles, records, trial_results
from kerasfaces.tune.bayesian import Bayesian
from kerasfaces.tune.components import Components
from kerasfaces.tune.hyperband import PARENT, Hyperband
from kerasfaces.tune.median_rule import MedianRule
from kerasfaces.tune.space import configuration, with_values
from kerasfaces.tune.study import Study
from kerasfaces.tune.trial_results import RUNNING, Result, Training, Trial

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
_PROJECT = ".oracle"  # KerasTuner's own files while it runs; nothing reads them


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
        self._open: dict[str, Any] = {}  # id -> KerasTuner's trial
        self._configs: dict[str, TrainConfig] = {}
        self._no_more = False
        self._n_failures = 0
        self._new: set[str] = set()  # trials that ended in this call
        self._median_rule = MedianRule(study)
        self._started = time.monotonic()

    def run(self, pool: Pool[Training, Result]) -> None:
        """Run trials until there are none left.

        Raises:
            KerasfacesError: What a user can mend.
            OSError: The disk is full, or the like.
        """
        self._started = time.monotonic()
        _Project(
            oracle=self.oracle,
            directory=str(self.folder),
            project_name=_PROJECT,
            overwrite=True,
        )
        with clock.clock(self._clock):
            while True:
                while len(self._open) < pool.n_workers and self._begin(pool):
                    pass
                if not self._open:
                    break
                while not (over := self._over()):
                    outcome = pool.next()
                    result = outcome.value or Result(
                        message=f"Its worker died {RETRIES + 1} times ({outcome.error})."
                    )
                    self._finish(str(outcome.key), result)
                for trial_id in over:
                    self._end(trial_id)
        shutil.rmtree(self.folder / _PROJECT, ignore_errors=True)

    def ended(self) -> list[Trial]:
        """Return the trials that are over, by number."""
        trials = [trial for _, trial in sorted(self.trials.items())]
        return [trial for trial in trials if trial.status != RUNNING]

    def completed(self) -> list[Trial]:
        """Return the trials with a score, best first."""
        return trial_results.ranked(self.ended(), self.study.direction)

    def failed(self) -> list[Trial]:
        """Return the trials with a reason instead, by number."""
        return [trial for trial in self.ended() if trial.status == trial_results.FAILED]

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
        pace_s = self.passed_s() / len(self._new)
        left_s = pace_s * (total - len(self.ended()))
        return left_s if budget_s is None else min(left_s, budget_s)

    def _begin(self, pool: Pool[Training, Result]) -> bool:
        """Open the next trial; return whether there was one."""
        number = len(self.oracle.trials)
        is_new = f"{number:04d}" not in self.trials
        if self._no_more or (is_new and self.budget_left_s() == 0):
            return False
        trial = self.oracle.create_trial(f"trial {number}")
        if trial.status != RUNNING:
            self._no_more = trial.status == oracles.STOPPED
            return False
        trial_id = trial.trial_id
        self._open[trial_id] = trial
        record = self.trials.get(trial_id)
        if record is not None and record.status != RUNNING:
            self._report(trial, record.repeats)
            return True
        records.begin(self.folder, trial.get_state())
        path = records.folder_of(self.folder, trial_id) / "trial.json"
        record = self.trials[trial_id] = records.load(path)
        try:
            values = with_values(self._space, record.own_values)
            config = configuration(self.study, self._components, values)
        except InputError as error:
            self._finish(trial_id, Result(message=str(error)))
            return True
        self._configs[trial_id] = config
        pool.submit(trial_id, self._training(record, config))
        return True

    def _training(self, record: Trial, config: TrainConfig) -> Training:
        checkpoints: dict[int, bytes] = {}
        if PARENT in record.values:
            folder = records.folder_of(self.folder, str(record.values[PARENT]))
            paths = {s: records.checkpoint_of(folder, s) for s in self.study.seeds}
            # Without one it is trained from the start: the same numbers, later.
            checkpoints = {s: p.read_bytes() for s, p in paths.items() if p.exists()}
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
            limits=self._median_rule.limits(),
            tensorboard=self._tensorboard,
        )

    def _over(self) -> list[str]:
        """Return open trials whose end the oracle may learn now."""
        over = [key for key in self._open if self.trials[key].status != RUNNING]
        if self.oracle.in_order or self.study.median_after is not None:
            return over[:1] if over[:1] == list(self._open)[:1] else []
        return over

    def _finish(self, trial_id: str, result: Result) -> None:
        """Record a trial that is over."""
        trial = self._open[trial_id]
        summaries = [one.summary() for one in result.repeats]
        self._report(trial, summaries)
        state = trial.get_state() | {
            "status": trial_results.FAILED
            if result.message
            else trial_results.COMPLETED,
            "message": result.message or None,
        }
        if summaries:
            scores = [one[self.study.objective] for one in summaries]
            state["score"] = float(np.mean(scores))
            state["best_step"] = summaries[0]["kept_epoch"]
        config = self._configs.pop(trial_id, None)
        described = None if config is None else configs.to_dict(config)
        self.trials[trial_id] = records.finish(self.folder, state, result, described)
        self._new.add(trial_id)
        self._log(self.trials[trial_id])

    def _report(self, trial: Any, repeats: Sequence[Json]) -> None:
        """Give KerasTuner a trial's metrics: the mean over its repeats counts."""
        for one in repeats:
            names = {*trial_results.METRICS, self.study.objective}
            metrics = {name: one[name] for name in sorted(names)}
            self.oracle.update_trial(
                trial.trial_id, metrics, step=repeats[0]["kept_epoch"]
            )

    def _end(self, trial_id: str) -> None:
        """Give the oracle a trial that is over.

        Raises:
            RunError: Too many failed in a row.
        """
        trial, record = self._open.pop(trial_id), self.trials[trial_id]
        trial.status, trial.message = record.status, record.message or None
        self.oracle.end_trial(trial)
        if (
            record.status == trial_results.COMPLETED
            and self.study.median_after is not None
        ):
            self._median_rule.add(records.history(self.folder, record))
        best = {each.trial_id for each in self.completed()[:_BEST]}
        # Trials of an earlier call keep their files until the oracle knows them.
        known = [each for each in self.ended() if each.trial_id in self.oracle.trials]
        records.prune(self.folder, known, best, self.oracle.continued())
        if trial_id in self._new:
            self._n_failures = (
                self._n_failures + 1 if record.status == trial_results.FAILED else 0
            )
        if self._n_failures >= _FAILURES:
            raise RunError(
                f"{self._n_failures} trials in a row failed, the last one because: "
                f"{record.message} Nothing is lost; mend the study or its data and run again."
            )

    def _log(self, trial: Trial) -> None:
        left_s = self.left_s()
        if trial.score is None:
            text = f"failed: {trial.message.rstrip('.')}"
        else:
            best, stopped = self.completed()[0], " (stopped)" * trial.stopped
            text = f"{self.study.objective} {trial.score:.4f}{stopped}, best "
            text += f"{best.score:.4f} ({best.trial_id})"
        logger.info(
            "trial %s, %d of %s: %s%s",
            trial.trial_id,
            len(self.ended()),
            self.oracle.total() or "?",
            text,
            "" if left_s is None else f", about {left_s:.0f} s left",
        )


class _Project(keras_tuner.Tuner):
    """Gives an oracle a directory, as KerasTuner's tuners do; trains nothing."""

    def run_trial(self, trial: Any, *arguments: Any, **options: Any) -> Any:
        """Refuse: trials are tasks of the engine."""
        raise NotImplementedError
