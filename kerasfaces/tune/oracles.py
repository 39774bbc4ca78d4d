"""Choice of the next trial, as KerasTuner's oracles: `populate_space` for a trial's number.

Values are a function of the study's seed, the trial's number and the trials before it, and
of nothing an oracle remembers. So a search that was killed is the same program run again
over results that are there. KerasTuner's own choices are none: its Bayesian search draws
from a generator that `get_state` leaves out and repeats points, its Hyperband promotes by
who finished first and gives rounds up where trials fail, its grid keeps its order private.
"""

import itertools
from collections.abc import Iterable, Mapping

import keras_tuner
from keras_tuner import HyperParameters
from keras_tuner.engine.trial import Trial

from kerasfaces.core import rng
from kerasfaces.metrics.main_effects import Value
from kerasfaces.run.trials import RUNNING, Values
from kerasfaces.tune.space import points
from kerasfaces.tune.study import Study

IDLE, STOPPED = "IDLE", "STOPPED"
_COLLISIONS = 200  # draws tried before, after which a space counts as exhausted


class StudyOracle(keras_tuner.Oracle):
    """What all our oracles share."""

    in_order = False  # whether values depend on which of the earlier trials are over

    def __init__(
        self,
        study: Study,
        space: HyperParameters,
        recorded: Mapping[str, Mapping[str, Value]],
    ) -> None:
        """Take a declared space, and id -> values of trials that earlier calls began."""
        direction = "max" if study.sign > 0 else "min"
        super().__init__(
            objective=keras_tuner.Objective(study.objective, direction),
            hyperparameters=space,
            seed=study.seed,
            # Failures in a row are counted by the search, which can say why.
            max_consecutive_failed_trials=None,
        )
        self.study, self.recorded = study, recorded
        self.seed = study.seed  # KerasTuner takes 0 for none
        self.verbose = 0

    def populate_space(self, trial_id: str) -> dict[str, object]:
        """Return `status` and `values` of the trial with this number."""
        number, limit = int(trial_id), self.study.max_trials
        values: Mapping[str, Value] | str = self.recorded.get(trial_id, STOPPED)
        if values == STOPPED and (limit is None or number < limit):
            values = self.choose(number)
        if isinstance(values, str):
            return {"status": values, "values": None}
        return {"status": RUNNING, "values": values}

    def choose(self, number: int) -> Values | str:
        """Return a new trial's values, IDLE until others are over, or STOPPED."""
        raise NotImplementedError

    def size(self) -> int | None:
        """Return how many trials there are without a limit; None where nobody knows."""
        return None

    def total(self) -> int | None:
        """Return how many trials there will be; None where nobody knows."""
        known = [n for n in (self.size(), self.study.max_trials) if n is not None]
        return min(known, default=None)

    def continued(self) -> set[str]:
        """Return the trials that later ones may continue."""
        return set()

    def save(self) -> None:
        """Write nothing after each trial: the trials' own files are the state."""

    def key(self, values: Mapping[str, Value]) -> str:
        """Return the same text for the same values."""
        return "".join(f"{name}={values[name]}" for name in sorted(values))

    def tried(self) -> set[str]:
        """Return the keys of all values so far."""
        return {self.key(one.hyperparameters.values) for one in self.ordered()}

    def ordered(self, *statuses: str) -> list[Trial]:
        """Return KerasTuner's trials, by number; those of some status alone."""
        trials = [self.trials[key] for key in sorted(self.trials)]
        return [one for one in trials if not statuses or one.status in statuses]

    def draw(self, *keys: str | int) -> Values | str:
        """Return random values not tried before, the same for the same keys, or STOPPED."""
        tried = self.tried()
        for attempt in range(_COLLISIONS):
            values = self.active(
                hp.random_sample(rng.integer_seed(self.seed, *keys, attempt, i))
                for i, hp in enumerate(self.hyperparameters.space)
            )
            if self.key(values) not in tried:
                return values
        return STOPPED

    def active(self, values: Iterable[Value]) -> Values:
        """Return the values of active hyperparameters; `values` has one for each."""
        filled = HyperParameters()
        for hp, value in zip(self.hyperparameters.space, values, strict=True):
            filled.merge([hp])
            if filled.is_active(hp):
                filled.values[hp.name] = value
        return dict(filled.values)


class Grid(StudyOracle):
    """Every combination, in the order declared."""

    def choose(self, number: int) -> Values | str:
        """Return the combination with the trial's number."""
        combinations = points(self.hyperparameters)
        return next(itertools.islice(combinations, number, None), STOPPED)

    def size(self) -> int:
        """Return the number of combinations."""
        return sum(1 for _ in points(self.hyperparameters))


class Random(StudyOracle):
    """The default values, then values drawn for each trial's number."""

    def choose(self, number: int) -> Values | str:
        """Return values not tried before."""
        if number == 0:
            return dict(self.hyperparameters.values)
        return self.draw("trial", number)
