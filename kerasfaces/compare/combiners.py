"""Calibrated log-odds of several detectors -> one; whatever is fitted sees validation only.

Each combiner maps every image by itself: its answer does not depend on which other
images are measured with it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.metrics.inputs import Bools, Floats

METHODS = ("average", "logits", "rank", "stacked")
MEANINGS = {
    "average": "mean of the calibrated probabilities",
    "logits": "mean of the log-odds, each standardised on validation",
    "rank": "mean of the ranks among the validation images",
    "stacked": "logistic regression on the log-odds, fitted on validation",
}
_FOLDS = 5
_STRENGTH = 1.0  # of the stacked weights' L2 penalty, on standardised log-odds


class Combined(NamedTuple):
    """A fitted combiner's answers."""

    # `(n,)` log-odds of the validation images; for `stacked` each is of a fit that did
    # not see that image, so that a threshold can be chosen on them.
    val: Floats
    test: Floats  # `(k,)` log-odds of the images to measure
    parameters: Json  # what was fitted, per member where it has one


def combine(
    method: str, val: Floats, fake: Bools, test: Floats, seed: int = 0
) -> Combined:
    """Fit a combiner on validation and apply it.

    Args:
        method: One of `METHODS`.
        val: `(n, members)` calibrated log-odds, finite.
        fake: `(n,)`, validation's labels; only `stacked` looks at them.
        test: `(k, members)` calibrated log-odds, finite.
        seed: Keys the folds of `stacked`.

    Raises:
        InputError: An unknown method, or too few validation images to stack.
    """
    if method == "average":
        return Combined(_mean_probability(val), _mean_probability(test), {})
    if method == "logits":
        centre, spread = _moments(val)
        ours, theirs = (((each - centre) / spread).mean(axis=1) for each in (val, test))
        return Combined(ours, theirs, {"mean": centre.tolist(), "sd": spread.tolist()})
    if method == "rank":
        parameters = {"n_validation": len(val)}
        return Combined(_mean_rank(val, val), _mean_rank(val, test), parameters)
    if method == "stacked":
        return _stacked(val, fake, test, seed)
    raise InputError(
        f"method {quoted(method)} is unknown; known: {', '.join(METHODS)}."
    )


def _mean_probability(values: Floats) -> Floats:
    """Return the log-odds of the mean probability, exact where it rounds to 0 or 1."""
    fake = np.logaddexp.reduce(-np.logaddexp(0, -values), axis=1)
    real = np.logaddexp.reduce(-np.logaddexp(0, values), axis=1)
    return np.asarray(fake - real, dtype=np.float64)


def _moments(values: Floats) -> tuple[Floats, Floats]:
    spread = values.std(axis=0)
    return values.mean(axis=0), np.where(spread > 0, spread, 1.0)


def _mean_rank(val: Floats, values: Floats) -> Floats:
    ranks = [_rank(np.sort(val[:, i]), values[:, i]) for i in range(val.shape[1])]
    mean = np.mean(ranks, axis=0)
    return np.asarray(np.log(mean) - np.log1p(-mean), dtype=np.float64)


def _rank(known: Floats, values: Floats) -> Floats:
    """Return the share of sorted validation values below each value, within 0..1.

    Between two of them it rises in a straight line. Beyond the ends it goes on to rise, by
    less and less, so that images surer than all of validation keep their order.
    """
    points, counts = np.unique(known, return_counts=True)
    share = (np.cumsum(counts) - counts / 2) / known.size
    rank = np.interp(values, points, share)
    scale = max(float(known.std()), 1e-12)
    above, below = values > points[-1], values < points[0]
    # No further than a power at which floating point still tells 1 - 1/e^x from 1.
    beyond = np.minimum((values[above] - points[-1]) / scale, 30.0)
    rank[above] = 1 - (1 - share[-1]) * np.exp(-beyond)
    beyond = np.minimum((points[0] - values[below]) / scale, 30.0)
    rank[below] = share[0] * np.exp(-beyond)
    return np.asarray(rank, dtype=np.float64)


def _stacked(val: Floats, fake: Bools, test: Floats, seed: int) -> Combined:
    folds = min(_FOLDS, int(fake.sum()), int((~fake).sum()))
    if folds < 2:
        raise InputError(
            f"Stacking needs at least 2 real and 2 fake validation images, got "
            f"{int((~fake).sum())} and {int(fake.sum())}; take `method='average'`."
        )
    fold = _fold_of(fake, folds, seed)
    out = np.empty(len(val))
    for number in range(folds):
        inside = fold == number
        weights, offset = _fit(val[~inside], fake[~inside])
        out[inside] = val[inside] @ weights + offset
    weights, offset = _fit(val, fake)
    parameters = {"weights": weights.tolist(), "offset": offset, "folds": folds}
    return Combined(out, test @ weights + offset, parameters)


def _fold_of(fake: Bools, folds: int, seed: int) -> NDArray[np.int64]:
    """Return each row's fold, both classes spread evenly."""
    fold = np.empty(fake.size, dtype=np.int64)
    for outcome in (False, True):
        rows = np.flatnonzero(fake == outcome)
        order = rng.generator(seed, "stacked", int(outcome)).permutation(rows.size)
        fold[rows[order]] = np.arange(rows.size) % folds
    return fold


def _fit(values: Floats, fake: Bools) -> tuple[Floats, float]:
    """Return weights `(members,)` and offset of the log-odds."""
    from sklearn.linear_model import LogisticRegression

    centre, spread = _moments(values)
    model = LogisticRegression(C=1 / _STRENGTH, max_iter=1000)
    model.fit((values - centre) / spread, fake)
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ centre)
