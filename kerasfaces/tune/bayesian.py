"""KerasTuner's Bayesian optimisation, repeatable and fast enough for heads.

KerasTuner fits its Gaussian process from 21 starting points and searches the next point
by 50 descents of a hundred single predictions each: seconds, for a head that trains in
one. Here the process is fitted from three, and thousands of points are predicted at once.
"""

import warnings
from typing import Any

import numpy as np
from keras_tuner.oracles import BayesianOptimizationOracle

from kerasfaces.core import rng
from kerasfaces.tune.durable import STOPPED, Durable
from kerasfaces.tune.records import COMPLETED, RUNNING

_CANDIDATES = 2000
_NEAR = 0.05  # sd of candidates around the best points, in units of the space
_STARTS = 2
_INITIAL = 20  # random points at most, before the process is asked


class Bayesian(Durable, BayesianOptimizationOracle):
    """The lowest upper confidence bound, among points not tried."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return values: at random first, then where the process hopes most."""
        number = int(trial_id)
        done = [each for each in self.trials.values() if each.status == COMPLETED]
        initial = max(3, min(2 * len(self.hyperparameters.space), _INITIAL))
        if number == 0:
            values: dict[str, Any] | None = self.first()
        elif number < initial or len(done) < initial:
            values = self.draw("trial", number)
        else:
            values = self._hopeful(number) or self.draw("trial", number)
        return {"status": STOPPED if values is None else RUNNING, "values": values}

    def _hopeful(self, number: int) -> dict[str, Any] | None:
        from sklearn.exceptions import ConvergenceWarning

        process = self._make_gpr()
        process.set_params(
            n_restarts_optimizer=_STARTS,
            random_state=rng.integer_seed(self.study.seed, "process", number),
        )
        self.gpr = process
        with warnings.catch_warnings():
            # A length scale at its bound: the choice does not matter, which is fine.
            warnings.simplefilter("ignore", ConvergenceWarning)
            x, y = self._known()
            process.fit(x, y)
            generator = rng.generator(self.study.seed, "candidates", number)
            points = generator.random((_CANDIDATES, x.shape[1]))
            best = x[np.argsort(y, kind="stable")[:_STARTS]]
            near = np.repeat(best, _CANDIDATES // 10, axis=0)
            near = near + generator.normal(0, _NEAR, near.shape)
            points = np.concatenate([points, np.clip(near, 0.0, 1.0)])
            mean, deviation = process.predict(points, return_std=True)
        tried = self.tried()
        for index in np.argsort(mean - self.beta * deviation, kind="stable"):
            values: dict[str, Any] = self._vector_to_values(points[index])
            if self._compute_values_hash(values) not in tried:
                return values
        return None

    def _known(self) -> tuple[Any, Any]:
        """Return points and scores to minimise, running trials at the mean of the known."""
        sign = -1.0 if self.study.direction == "max" else 1.0
        spaces = self._nonfixed_space()
        rows, scores = [], []
        done = [each.score for each in self.trials.values() if each.status == COMPLETED]
        for key in sorted(self.trials):
            trial = self.trials[key]
            if trial.status not in (COMPLETED, RUNNING):
                continue
            values = trial.hyperparameters.values
            rows.append(
                [
                    hp.value_to_prob(
                        values[hp.name]
                        if hp.name in values and trial.hyperparameters.is_active(hp)
                        else hp.default
                    )
                    for hp in spaces
                ]
            )
            score = trial.score if trial.status == COMPLETED else np.mean(done)
            scores.append(sign * score)
        return np.array(rows), np.array(scores)
