"""The search: an oracle asks for trials, workers train them, records hold what they came to.

One process drives it. It does the same whether it was killed before or not: it asks the
oracle for trial after trial, and where a trial's record has a result, it takes that instead
of training. Where choices depend on results, they are told in the order of the trials'
numbers, so that nothing depends on which worker was faster, or died.
"""

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np

from kerasfaces.core import clock
from kerasfaces.core import config as configs
from kerasfaces.core.engine import Pool
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune import oracles, records
from kerasfaces.tune.bayesian import Bayesian
from kerasfaces.tune.hyperband import PARENT, Hyperband
from kerasfaces.tune.inventory import Inventory
from kerasfaces.tune.median_rule import MedianRule
from kerasfaces.tune.records import COMPLETED, FAILED, RUNNING, Trial
from kerasfaces.tune.space import configuration, with_values
from kerasfaces.tune.study import Study
from kerasfaces.tune.trainings import METRICS, Result, Training

logger = logging.getLogger(__name__)

RETRIES = 2  # of a trial whose worker died
_BEST = 5  # trials that keep their weights
_FAILURES = 10  # in a row, after which something else must be wrong
_PROJECT = ".oracle"  # KerasTuner's own files while it runs; nothing reads them


class Search:
    """A study's trials: those that are over, those that are open, those to come.

    Attributes:
        study: The study.
        folder: Its folder.
        trials: Id -> record of each trial that was begun.
        oracle: Chooses the values.
    """

    def __init__(
        self,
        study: Study,
        inventory: Inventory,
        space: Any,
        folder: Path,
        *,
        tensorboard: bool = False,
    ) -> None:
        """Read the trials that are there.

        Raises:
            RunError: A trial's file is damaged.
        """
        self.study, self.folder = study, folder
        self._inventory, self._space = inventory, space
        self._tensorboard = tensorboard
        for path in folder.glob("trial_*/progress.json"):
            path.unlink(missing_ok=True)  # of a call that was killed
        self.trials: dict[str, Trial] = {
            trial.trial_id: trial for trial in records.load_all(folder)
        }
        values = {key: trial.values for key, trial in self.trials.items()}
        self.oracle = _oracle(study, space, values)
        self._in_order = self.oracle.in_order or study.median_after is not None
        self._open: dict[str, Any] = {}  # id -> KerasTuner's trial
        self._configs: dict[str, TrainConfig] = {}
        self._no_more = False
        self._n_failures = 0
        self._new: set[str] = set()  # trials that ended in this call
        self._median_rule = MedianRule(study.median_after)
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
        return records.ranked(self.ended(), self.study.direction)

    def failed(self) -> list[Trial]:
        """Return the trials with a reason instead, by number."""
        return [trial for trial in self.ended() if trial.status == FAILED]

    def running(self) -> list[Trial]:
        """Return the trials that workers have, by number."""
        trials = [self.trials[key] for key in sorted(self._open)]
        return [trial for trial in trials if trial.status == RUNNING]

    def total(self) -> int | None:
        """Return how many trials there will be; None where nobody knows."""
        return self.oracle.total()

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
        total, budget_s = self.total(), self.budget_left_s()
        if not total or not self._new:
            return budget_s
        pace_s = self.passed_s() / len(self._new)
        left_s = pace_s * (total - len(self.ended()))
        return left_s if budget_s is None else min(left_s, budget_s)

    @property
    def _clock(self) -> Path:
        return self.folder / "clock.json"

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
        self._open[trial.trial_id] = trial
        record = self.trials.get(trial.trial_id)
        if record is not None and record.status != RUNNING:
            self._report(trial, record.repeats)
            return True
        records.begin(self.folder, trial.get_state())
        path = records.folder_of(self.folder, trial.trial_id) / "trial.json"
        self.trials[trial.trial_id] = records.load(path)
        try:
            values = with_values(self._space, self.trials[trial.trial_id].own_values)
            config = configuration(self.study, self._inventory, values)
        except InputError as error:
            self._finish(trial.trial_id, Result(message=str(error)))
            return True
        self._configs[trial.trial_id] = config
        pool.submit(trial.trial_id, self._training(trial.trial_id, config))
        return True

    def _training(self, trial_id: str, config: TrainConfig) -> Training:
        record = self.trials[trial_id]
        checkpoints: dict[int, bytes] = {}
        if PARENT in record.values:
            folder = records.folder_of(self.folder, record.values[PARENT])
            paths = {s: records.checkpoint_of(folder, s) for s in self.study.seeds}
            # Without one it is trained from the start: the same numbers, later.
            checkpoints = {s: p.read_bytes() for s, p in paths.items() if p.exists()}
        return Training(
            trial_id=trial_id,
            config=config,
            values=record.values,
            seeds=self.study.seeds,
            folder=records.folder_of(self.folder, trial_id).resolve(),
            objective=self.study.objective,
            sign=1.0 if self.study.direction == "max" else -1.0,
            epochs_now=record.values.get(records.EPOCHS),
            checkpoints=checkpoints,
            limits=self._median_rule.limits(),
            tensorboard=self._tensorboard,
        )

    def _over(self) -> list[str]:
        """Return open trials that can be told to the oracle now."""
        if not self._in_order:
            return [key for key in self._open if self.trials[key].status != RUNNING]
        first = next(iter(self._open))
        return [] if self.trials[first].status == RUNNING else [first]

    def _finish(self, trial_id: str, result: Result) -> None:
        """Record a trial that is over."""
        trial = self._open[trial_id]
        summaries = [one.summary() for one in result.repeats]
        self._report(trial, summaries)
        state = trial.get_state() | {
            "status": FAILED if result.message else COMPLETED,
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

    def _report(self, trial: Any, repeats: Sequence[Any]) -> None:
        """Give KerasTuner a trial's metrics: the mean over its repeats counts."""
        for one in repeats:
            metrics = {name: one[name] for name in METRICS}
            self.oracle.update_trial(
                trial.trial_id, metrics, step=repeats[0]["kept_epoch"]
            )

    def _end(self, trial_id: str) -> None:
        """Tell the oracle of a trial that is over.

        Raises:
            RunError: Too many failed in a row.
        """
        trial, record = self._open.pop(trial_id), self.trials[trial_id]
        trial.status, trial.message = record.status, record.message or None
        self.oracle.end_trial(trial)
        if record.status == COMPLETED and self.study.median_after is not None:
            self._median_rule.add(
                records.curve(self.folder, record, self.study.objective)
            )
        best = {each.trial_id for each in self.completed()[:_BEST]}
        records.prune(self.folder, self.ended(), best, self.oracle.continued())
        if trial_id in self._new:
            self._n_failures = self._n_failures + 1 if record.status == FAILED else 0
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
            best = self.completed()[0]
            text = (
                f"{self.study.objective} {trial.score:.4f}"
                f"{' (stopped)' if trial.stopped else ''}, best {best.score:.4f} "
                f"({best.trial_id})"
            )
        logger.info(
            "trial %s, %d of %s: %s%s",
            trial.trial_id,
            len(self.ended()),
            self.total() or "?",
            text,
            "" if left_s is None else f", about {left_s:.0f} s left",
        )


class _Project(keras_tuner.Tuner):
    """Gives an oracle a directory, as KerasTuner's tuners do; trains nothing."""

    def run_trial(self, trial: Any, *arguments: Any, **options: Any) -> Any:
        """Refuse: trials are tasks of the engine."""
        raise NotImplementedError


def _oracle(
    study: Study, space: Any, recorded: Mapping[str, Any] | None = None
) -> oracles.StudyOracle:
    """Return the oracle a study asks for; see `StudyOracle`."""
    kinds: dict[str, type[oracles.StudyOracle]] = {
        "grid": oracles.Grid,
        "random": oracles.Random,
        "hyperband": Hyperband,
        "bayesian": Bayesian,
    }
    return kinds[study.oracle](study, space, recorded)
