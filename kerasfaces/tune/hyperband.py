"""KerasTuner's Hyperband with rounds that any process can work out from the trials.

Li et al. 2018, JMLR 18:185. A bracket's next round starts when its last one is over, so
the trials do not depend on who finished first.
"""

import itertools
from collections.abc import Sequence
from typing import Any

from keras_tuner.oracles import HyperbandOracle

from kerasfaces.tune.durable import IDLE, STOPPED, Durable
from kerasfaces.tune.records import COMPLETED, EPOCHS, RUNNING

BRACKET, ROUND = "tuner/bracket", "tuner/round"
INDEX = "tuner/index"  # which of its bracket's draws a trial, or its ancestor, was
PARENT = "tuner/trial_id"


class Hyperband(Durable, HyperbandOracle):
    """Many short trials, the best of them continued, in several mixtures."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the next trial of the first bracket that can go on."""
        waits = False
        for bracket in reversed(range(self._get_num_brackets())):
            values = self._of_bracket(bracket)
            if values == IDLE:
                waits = True
            elif values is not None:
                return {"status": RUNNING, "values": values}
        return {"status": IDLE if waits else STOPPED, "values": None}

    def total(self) -> int | None:
        """Return how many trials all brackets hold."""
        count = sum(
            int(self._get_size(bracket, number))
            for bracket in range(self._get_num_brackets())
            for number in range(self._get_num_rounds(bracket))
        )
        return count if self.max_trials is None else min(count, self.max_trials)

    def continued(self) -> set[str]:
        """Return trials of rounds whose successors are not all chosen yet."""
        needed: set[str] = set()
        for bracket in range(self._get_num_brackets()):
            rounds = self._rounds(bracket)
            for number in range(len(rounds) - 1):
                if len(rounds[number + 1]) < self._size(rounds, bracket, number + 1):
                    needed |= {each.trial_id for each in rounds[number]}
        running = [each for each in self.trials.values() if each.status == RUNNING]
        needed |= {each.hyperparameters.values.get(PARENT, "") for each in running}
        return needed

    def _rounds(self, bracket: int) -> list[list[Any]]:
        rounds: list[list[Any]] = [[] for _ in range(self._get_num_rounds(bracket))]
        for key in sorted(self.trials):
            values = self.trials[key].hyperparameters.values
            if values.get(BRACKET) == bracket:
                rounds[values[ROUND]].append(self.trials[key])
        return rounds

    def _size(self, rounds: list[list[Any]], bracket: int, number: int) -> int:
        """Return a round's size: no more than the last round's trials that worked."""
        size = int(self._get_size(bracket, number))
        if number == 0:
            return size
        last = rounds[number - 1]
        alive = [each for each in last if each.status in (COMPLETED, RUNNING)]
        return (
            min(size, len(alive)) if self._full(rounds, bracket, number - 1) else size
        )

    def _full(self, rounds: list[list[Any]], bracket: int, number: int) -> bool:
        return self._exhausted or len(rounds[number]) >= self._size(
            rounds, bracket, number
        )

    def _of_bracket(self, bracket: int) -> Any:
        """Return a trial's values, IDLE while others must end first, None when done."""
        rounds = self._rounds(bracket)
        if len(rounds[0]) < self._get_size(bracket, 0):
            index = _lowest_free(rounds[0])
            values = self.draw("hyperband", bracket, index)
            if values is not None:
                return values | self._marks(bracket, 0) | {INDEX: index}
        for number in range(1, len(rounds)):
            last = rounds[number - 1]
            if any(each.status == RUNNING for each in last):
                return IDLE
            better = sorted(
                (each for each in last if each.status == COMPLETED),
                key=lambda each: (
                    -each.score if self.study.direction == "max" else each.score,
                    each.trial_id,
                ),
            )[: self._get_size(bracket, number)]
            taken = {each.hyperparameters.values[PARENT] for each in rounds[number]}
            for parent in better:
                if parent.trial_id not in taken:
                    values = dict(parent.hyperparameters.values)
                    return (
                        values
                        | self._marks(bracket, number)
                        | {PARENT: parent.trial_id}
                    )
        return None

    def _compute_values_hash(self, values: dict[str, Any]) -> Any:
        # With its parent's name a continued trial is no obstacle to its parent's draw.
        drawn = {key: value for key, value in values.items() if key != INDEX}
        return super()._compute_values_hash(drawn)

    def _marks(self, bracket: int, number: int) -> dict[str, Any]:
        before = self._get_epochs(bracket, number - 1) if number else 0
        return {
            EPOCHS: self._get_epochs(bracket, number),
            "tuner/initial_epoch": before,
            BRACKET: bracket,
            ROUND: number,
        }


def _lowest_free(trials: Sequence[Any]) -> int:
    """Return which draw comes next: a deleted trial's, so that it is the same again."""
    # Older studies did not say which draw a trial was.
    given = [each.hyperparameters.values for each in trials]
    taken = {values.get(INDEX, at) for at, values in enumerate(given)}
    return next(n for n in itertools.count() if n not in taken)
