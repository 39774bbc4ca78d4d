"""KerasTuner's grid and random search, resumable."""

import itertools
from typing import Any

from keras_tuner.oracles import GridSearchOracle, RandomSearchOracle

from kerasfaces.tune.durable import STOPPED, Durable
from kerasfaces.tune.records import RUNNING
from kerasfaces.tune.space import points


class Grid(Durable, GridSearchOracle):
    """Every combination, in the order declared."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the combination with the trial's number."""
        number = int(trial_id)
        values = next(
            itertools.islice(points(self.hyperparameters), number, None), None
        )
        return {"status": STOPPED if values is None else RUNNING, "values": values}

    def total(self) -> int | None:
        """Return the number of combinations, or of those asked for."""
        count = sum(1 for _ in points(self.hyperparameters))
        return count if self.max_trials is None else min(count, self.max_trials)


class Random(Durable, RandomSearchOracle):
    """The default values, then values drawn for each trial's number."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return values not tried before."""
        number = int(trial_id)
        values = self.draw("trial", number) if number else self.first()
        return {"status": STOPPED if values is None else RUNNING, "values": values}
