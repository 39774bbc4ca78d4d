"""Bayesian optimisation, repeatable and fast enough for heads.

The Gaussian process of KerasTuner's oracle (Matérn 5/2, lower confidence bound), which
takes ten seconds for a point: it is fitted from 21 starting points there and searched by
50 descents of single predictions. Here it is fitted from three, and thousands of points
are predicted at once.
"""

import warnings

import numpy as np
from keras_tuner.engine.hyperparameters import Fixed
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.run.trials import COMPLETED, RUNNING, Values
from kerasfaces.tune.oracles import Random

_NOISE = 1e-4  # variance of scores, KerasTuner's alpha
_BETA = 2.6  # standard deviations of hope, KerasTuner's beta
_CANDIDATES = 2000
_NEAR = 0.05  # sd of candidates around the best points, in units of the space
_STARTS = 2
_INITIAL = 20  # random points at most, before the process is asked


class Bayesian(Random):
    """The lowest confidence bound, among points not tried."""

    in_order = True

    def choose(self, number: int) -> Values | str:
        """Return values: at random first, then where the process hopes most."""
        initial = max(3, min(2 * len(self.hyperparameters.space), _INITIAL))
        values = None
        if number >= initial and len(self.ordered(COMPLETED)) >= initial:
            values = self._hopeful(number)
        return values or super().choose(number)

    def _hopeful(self, number: int) -> Values | None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import Matern

        process = GaussianProcessRegressor(
            kernel=Matern(nu=2.5),
            n_restarts_optimizer=_STARTS,
            normalize_y=True,
            alpha=_NOISE,
            random_state=rng.integer_seed(self.study.seed, "process", number),
        )
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
        tried, space = self.tried(), self.hyperparameters.space
        for index in np.argsort(mean - _BETA * deviation, kind="stable"):
            places = iter(points[index])
            values = self.active(
                hp.value if isinstance(hp, Fixed) else hp.prob_to_value(next(places))
                for hp in space
            )
            if self.key(values) not in tried:
                return values
        return None

    def _known(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return points and scores to minimise, running trials at the mean of the known."""
        mean = np.mean([each.score for each in self.ordered(COMPLETED)])
        points, scores = [], []
        for trial in self.ordered(COMPLETED, RUNNING):
            own, point = trial.hyperparameters, []
            for hp in self.hyperparameters.space:
                known = own.values if own.is_active(hp) else {}
                if not isinstance(hp, Fixed):
                    point.append(hp.value_to_prob(known.get(hp.name, hp.default)))
            points.append(point)
            score = trial.score if trial.status == COMPLETED else mean
            scores.append(-self.study.sign * score)
        return np.array(points), np.array(scores)
