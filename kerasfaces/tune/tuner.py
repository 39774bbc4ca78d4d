"""KerasTuner's tuner over cached features: which errors fail a trial, which stop a study."""

import copy
import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import keras_tuner

from kerasfaces.core import config as configs
from kerasfaces.core.clock import clock
from kerasfaces.core.errors import InputError
from kerasfaces.tune import budget, progress, records
from kerasfaces.tune.durable import IDLE, STOPPED
from kerasfaces.tune.hyperband import PARENT
from kerasfaces.tune.material import Material
from kerasfaces.tune.offer import Offer
from kerasfaces.tune.space import RESERVED, configuration, with_values
from kerasfaces.tune.study import Study
from kerasfaces.tune.trainer import Part, Trainer

logger = logging.getLogger(__name__)

_IDLE_S = 0.2
_SAID_S = 1.0  # between two words of a running trial


class StudyTuner(keras_tuner.Tuner):
    """Runs trials until its oracle has none left.

    Callbacks given to `search` are copied for every training, and a TensorBoard among
    them gets KerasTuner's folder per trial and its table of hyperparameters.
    """

    def __init__(
        self,
        oracle: Any,
        study: Study,
        offer: Offer,
        space: Any,
        material: Material,
        folder: Path,
        tuner_id: str = "tuner0",
    ) -> None:
        """Build nothing yet."""
        super().__init__(
            oracle=oracle,
            directory=str(folder.parent),
            project_name=folder.name,
            tuner_id=tuner_id,
        )
        self.oracle.verbose = 0
        self._study, self._offer, self._space = study, offer, space
        self._epochs = 0
        self._clock = budget.clock_of(folder, tuner_id)
        self._material, self._trainer, self._folder = (
            material,
            Trainer(material),
            folder,
        )

    def search(self, callbacks: Sequence[Any] = ()) -> None:
        """Run trials until there are none left.

        Raises:
            KerasfacesError: What a user can mend.
            OSError: The disk is full, or the like.
        """
        while True:
            trial = self.oracle.create_trial(self.tuner_id)
            if trial.status == STOPPED:
                return
            if trial.status == IDLE:
                time.sleep(_IDLE_S)
                continue
            with self._alive(trial.trial_id), clock(self._clock, 1 / trial.workers):
                self.run_trial(trial, callbacks)
            self.oracle.end_trial(trial)

    def run_trial(self, trial: Any, callbacks: Sequence[Any] = ()) -> None:
        """Train a candidate and write its result; its own failure is a result too."""
        started = time.monotonic()
        if records.read_result(self._folder, trial.trial_id) is not None:
            time.sleep(_IDLE_S)  # the chief may see the folder later than we do
            return  # written, and killed before the oracle heard of it
        repeats: list[records.Repeat] = []
        config, message = None, ""
        values = trial.hyperparameters.values
        try:
            config = configuration(
                self._study, self._offer, with_values(self._space, _own(values))
            )
        except InputError as error:
            message = str(error)
        if config is not None:
            self._epochs = config.epochs
            self._material.data(config)  # what is wrong here is wrong for all
            try:
                repeats = self._trainer.train(
                    config,
                    self._study.seeds,
                    self._part(trial),
                    lambda execution: self._callbacks(callbacks, trial, execution),
                )
            except InputError as error:
                message = str(error)
            except MemoryError:
                message = "Memory ran out."
            except Exception as error:
                if type(error).__name__ != "ResourceExhaustedError":
                    raise
                message = f"Memory ran out: {str(error).partition(chr(10))[0]}"
        if self._is_over(trial.trial_id):
            return
        records.write_result(
            self._folder,
            trial.trial_id,
            repeats,
            config=None if config is None else configs.to_dict(config),
            seconds=time.monotonic() - started,
            message=message,
        )

    def _is_over(self, trial_id: str) -> bool:
        """Tell whether another worker ended a trial while this one was given up for dead."""
        folder = records.folder_of(self._folder, trial_id)
        over: bool = records.load(folder / "trial.json").status != records.RUNNING
        if over:
            logger.warning(
                "trial %s was ended by another worker: this one's result is left out",
                trial_id,
            )
            (folder / "progress.json").unlink(missing_ok=True)
        return over

    def save(self) -> None:
        """Write nothing: the trials are the state."""

    def _part(self, trial: Any) -> Part:
        values = trial.hyperparameters.values
        parent = values.get(PARENT)
        return Part(
            folder=records.folder_of(self._folder, trial.trial_id),
            epochs_now=values.get(records.EPOCHS),
            parent=parent and records.folder_of(self._folder, parent),
            report=None if self._study.median_after is None else self._reporter(trial),
            said=self._progress(trial),
        )

    def _progress(self, trial: Any) -> Any:
        """Return what writes how far a trial is, now and then."""
        started = last = time.monotonic()
        epochs = trial.hyperparameters.values.get(records.EPOCHS)
        trained = 0

        def said(number: int, row: dict[str, Any]) -> None:
            nonlocal last, trained
            trained += 1
            now = time.monotonic()
            if now - last < _SAID_S:
                return
            last = now
            told = {
                "repeat": number + 1,
                "repeats": len(self._study.seeds),
                "epoch": row["epoch"],
                "epochs": epochs or self._epochs,
                "value": float(row[self._study.objective]),
                "trained": trained,
                "seconds": round(now - started, 1),
            }
            progress.write(self._folder, trial.trial_id, told)

        return said

    def _reporter(self, trial: Any) -> Any:
        name = self._study.objective
        better = max if self._study.direction == "max" else min

        def report(rows: list[dict[str, Any]]) -> bool:
            best = {name: better(float(row[name]) for row in rows)}
            answer = self.oracle.update_trial(trial.trial_id, best, rows[-1]["epoch"])
            stop: bool = answer.status == STOPPED
            return stop

        return report

    def _callbacks(
        self, callbacks: Sequence[Any], trial: Any, execution: int
    ) -> list[Any]:
        copies = copy.deepcopy(list(callbacks))
        if copies:
            self._configure_tensorboard_dir(copies, trial, execution)
        return copies

    def _alive(self, trial_id: str) -> AbstractContextManager[None]:
        """Tell a chief now and then that the trial is in work."""
        alive = getattr(self.oracle, "alive", None)
        found: AbstractContextManager[None] = (
            alive(trial_id) if alive else nullcontext()
        )
        return found


def _own(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if not key.startswith(RESERVED)}
