"""Hyperband with rounds that follow from the trials alone.

Li et al. 2018, JMLR 18:185. A bracket's next round starts when its last one is over, so
its trials do not depend on who finished first.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kerasfaces.tune.oracles import IDLE, STOPPED, StudyOracle, lowest_free
from kerasfaces.tune.records import COMPLETED, EPOCHS, RUNNING

BRACKET, ROUND = "tuner/bracket", "tuner/round"
INDEX = "tuner/index"  # which of its bracket's draws a trial, or its ancestor, was
PARENT = "tuner/trial_id"
_NOT_COMPARED = (EPOCHS, "tuner/initial_epoch", BRACKET, ROUND, INDEX)


class Hyperband(StudyOracle):
    """Many short trials, the best of them continued, in several mixtures."""

    in_order = True

    def choose(self, number: int) -> dict[str, Any] | str:
        """Return the next trial of the first bracket that can go on."""
        answers = (self._of_bracket(b) for b in reversed(range(self._n_brackets())))
        status = STOPPED
        for answer in answers:
            if not isinstance(answer, str):
                return answer
            status = IDLE if answer == IDLE else status
        return status

    def total(self) -> int | None:
        """Return how many trials all brackets hold."""
        count = sum(
            self._planned_size(bracket, number)
            for bracket in range(self._n_brackets())
            for number in range(bracket + 1)
        )
        limit = self.study.max_trials
        return count if limit is None else min(count, limit)

    def continued(self) -> set[str]:
        """Return trials of rounds whose successors are not all chosen yet."""
        needed: set[str] = set()
        for bracket in range(self._n_brackets()):
            rounds = self._rounds(bracket)
            for number in range(bracket):
                if len(rounds[number + 1]) < self._size(rounds, bracket, number + 1):
                    needed |= {each.trial_id for each in rounds[number]}
        running = [each for each in self.trials.values() if each.status == RUNNING]
        return needed | {
            each.hyperparameters.values.get(PARENT, "") for each in running
        }

    def key(self, values: Mapping[str, Any]) -> str:
        """Return the same text for the same values; a continued trial has its parent's name.

        So it is no obstacle to its parent's draw.
        """
        return super().key({k: v for k, v in values.items() if k not in _NOT_COMPARED})

    def _n_brackets(self) -> int:
        brackets, epochs = 0, float(self.study.max_epochs)
        while epochs >= 1:
            epochs, brackets = epochs / self.study.factor, brackets + 1
        return brackets

    def _planned_size(self, bracket: int, number: int) -> int:
        """Return how many trials a round holds, by KerasTuner's formula."""
        last = math.ceil(1 + math.log(self.study.max_epochs, self.study.factor))
        size = last / (bracket + 1) * self._share(bracket, number)
        return math.ceil(size)

    def _epochs(self, bracket: int, number: int) -> int:
        return math.ceil(self.study.max_epochs / self._share(bracket, number))

    def _share(self, bracket: int, number: int) -> int:
        """Return how much more trials a round holds than its bracket's last."""
        share: int = self.study.factor ** (bracket - number)
        return share

    def _rounds(self, bracket: int) -> list[list[Any]]:
        rounds: list[list[Any]] = [[] for _ in range(bracket + 1)]
        for trial_id in sorted(self.trials):
            values = self.trials[trial_id].hyperparameters.values
            if values[BRACKET] == bracket:
                rounds[values[ROUND]].append(self.trials[trial_id])
        return rounds

    def _size(self, rounds: list[list[Any]], bracket: int, number: int) -> int:
        """Return a round's size: no more than the last round's trials that worked."""
        size = self._planned_size(bracket, number)
        if number == 0:
            return size
        last = rounds[number - 1]
        planned = self._size(rounds, bracket, number - 1)
        if len(last) < planned and not self.exhausted:
            return size
        alive = [each for each in last if each.status in (COMPLETED, RUNNING)]
        return min(size, len(alive))

    def _of_bracket(self, bracket: int) -> dict[str, Any] | str:
        """Return a trial's values, IDLE while others must end first, STOPPED when done."""
        rounds = self._rounds(bracket)
        if len(rounds[0]) < self._planned_size(bracket, 0):
            index = lowest_free([_index(each) for each in rounds[0]])
            values = self.draw("hyperband", bracket, index)
            if not isinstance(values, str):
                return values | self._marks(bracket, 0) | {INDEX: index}
        for number in range(1, len(rounds)):
            if any(each.status == RUNNING for each in rounds[number - 1]):
                return IDLE
            chosen = {_values(each)[PARENT] for each in rounds[number]}
            for parent in self._best(rounds[number - 1], bracket, number):
                if parent.trial_id not in chosen:
                    marks = self._marks(bracket, number) | {PARENT: parent.trial_id}
                    return dict(_values(parent)) | marks
        return STOPPED

    def _best(self, trials: Sequence[Any], bracket: int, number: int) -> list[Any]:
        sign = -1 if self.study.direction == "max" else 1
        completed = [each for each in trials if each.status == COMPLETED]
        completed.sort(key=lambda each: (sign * each.score, each.trial_id))
        return completed[: self._planned_size(bracket, number)]

    def _marks(self, bracket: int, number: int) -> dict[str, Any]:
        before = self._epochs(bracket, number - 1) if number else 0
        return {
            EPOCHS: self._epochs(bracket, number),
            "tuner/initial_epoch": before,
            BRACKET: bracket,
            ROUND: number,
        }


def _values(trial: Any) -> dict[str, Any]:
    values: dict[str, Any] = trial.hyperparameters.values
    return values


def _index(trial: Any) -> int:
    index: int = _values(trial)[INDEX]
    return index
