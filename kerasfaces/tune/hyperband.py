"""Hyperband with rounds that follow from the trials alone.

Li et al. 2018, JMLR 18:185. A bracket's next round starts when its last one is over, so
its trials do not depend on who finished first.
"""

import itertools
import math
from collections.abc import Mapping

from keras_tuner.engine.trial import Trial

from kerasfaces.metrics.main_effects import Value
from kerasfaces.run.trials import COMPLETED, EPOCHS, RUNNING, Values
from kerasfaces.tune.oracles import IDLE, STOPPED, StudyOracle

BRACKET, ROUND = "tuner/bracket", "tuner/round"
INDEX = "tuner/index"  # which of its bracket's draws a trial, or its ancestor, was
PARENT = "tuner/trial_id"
_FIRST_EPOCH = "tuner/initial_epoch"
_NOT_COMPARED = (EPOCHS, _FIRST_EPOCH, BRACKET, ROUND, INDEX)


class Hyperband(StudyOracle):
    """Many short trials, the best of them continued, in several mixtures."""

    in_order = True

    def choose(self, number: int) -> Values | str:
        """Return the next trial of the first bracket that can go on."""
        answers: list[Values | str] = []
        for bracket in self._brackets():
            answers.append(self._of_bracket(bracket))
            if not isinstance(answers[-1], str):
                return answers[-1]
        return IDLE if IDLE in answers else STOPPED

    def size(self) -> int:
        """Return how many trials all brackets hold."""
        return sum(
            self._planned_size(bracket, number)
            for bracket in self._brackets()
            for number in range(bracket + 1)
        )

    def continued(self) -> set[str]:
        """Return trials of rounds that a bracket may still choose from, and parents at work."""
        needed = {str(_values(each).get(PARENT)) for each in self.ordered(RUNNING)}
        for bracket in self._brackets():
            if self._of_bracket(bracket) != STOPPED:
                begun = [trials for trials in self._rounds(bracket) if trials]
                needed |= {each.trial_id for trials in begun[-2:] for each in trials}
        return needed

    def key(self, values: Mapping[str, Value]) -> str:
        """Return the text of values; a continued trial's, with its parent, is another."""
        return super().key({k: v for k, v in values.items() if k not in _NOT_COMPARED})

    def _brackets(self) -> range:
        """Return the brackets' numbers, that with the most rounds first."""
        last = 0
        while self.study.factor ** (last + 1) <= self.study.max_epochs:
            last += 1
        return range(last, -1, -1)

    def _planned_size(self, bracket: int, number: int) -> int:
        """Return how many trials a round holds, by KerasTuner's formula."""
        last = math.ceil(1 + math.log(self.study.max_epochs, self.study.factor))
        share: int = self.study.factor ** (bracket - number)
        return math.ceil(last / (bracket + 1) * share)

    def _rounds(self, bracket: int) -> list[list[Trial]]:
        own = [t for t in self.ordered() if _values(t)[BRACKET] == bracket]
        return [
            [trial for trial in own if _values(trial)[ROUND] == number]
            for number in range(bracket + 1)
        ]

    def _of_bracket(self, bracket: int) -> Values | str:
        """Return a trial's values, IDLE while others must end first, STOPPED when done."""
        rounds = self._rounds(bracket)
        if len(rounds[0]) < self._planned_size(bracket, 0):
            drawn = {_values(each)[INDEX] for each in rounds[0]}
            index = next(n for n in itertools.count() if n not in drawn)
            values = self.draw("hyperband", bracket, index)
            if not isinstance(values, str):
                return values | self._marks(bracket, 0) | {INDEX: index}
        for number, (before, begun) in enumerate(itertools.pairwise(rounds), start=1):
            if any(each.status == RUNNING for each in before):
                return IDLE
            chosen = {_values(each)[PARENT] for each in begun}
            completed = [each for each in before if each.status == COMPLETED]
            completed.sort(key=lambda each: -self.study.sign * each.score)
            for parent in completed[: self._planned_size(bracket, number)]:
                if parent.trial_id not in chosen:
                    marks = self._marks(bracket, number) | {PARENT: parent.trial_id}
                    return _values(parent) | marks
        return STOPPED

    def _marks(self, bracket: int, number: int) -> Values:
        """Return a round's own values; its trials go on where the last round's ended."""
        before, epochs = (
            math.ceil(self.study.max_epochs / self.study.factor ** (bracket - each))
            for each in (number - 1, number)
        )
        first = before if number else 0
        return {EPOCHS: epochs, _FIRST_EPOCH: first, BRACKET: bracket, ROUND: number}


def _values(trial: Trial) -> Values:
    values: Values = trial.hyperparameters.values
    return values
