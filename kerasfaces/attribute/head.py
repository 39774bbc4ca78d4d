"""Features -> one logit per class, and how far an image lies from all classes.

The logits are those of multinomial logistic regression, which is convex: neither seed nor
order of the rows matters and there is no epoch to choose. The classes weigh alike whatever
their counts. A head's doubt notices images between classes; an image beyond all of them can
leave it sure of itself, hence the squared Mahalanobis distance to the nearest class centre
(Lee et al. 2018) in the training images' principal directions, one covariance for all classes.
"""

import dataclasses
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import arrays
from kerasfaces.core.errors import RunError
from kerasfaces.metrics.inputs import Floats

Features = NDArray[np.float32]
_CONSTANT = 1e-2  # a feature that varies less on training data carries nothing
_STEPS = 100  # with wide features the optimum is thousands of steps away
_TOLERANCE = 1e-5  # largest slope of the mean loss at the end
_DIRECTIONS = 48
_SHRINKAGE = 1e-3  # added to the covariance of directions scaled to variance 1
_CHUNK = 2048


@dataclasses.dataclass(frozen=True, eq=False)
class Head:
    """A linear classifier of standardised features, trained."""

    names: tuple[str, ...]  # the classes
    mean: Features  # `(d,)` float32, of the training features
    spread: Features  # `(d,)` float32, their standard deviation, 1 where constant
    weights: Features  # `(d, classes)` float32, of standardised features
    offset: Features  # `(classes,)` float32
    # `(d, k)` float32, from standardised features to directions of variance 1.
    basis: Features
    centres: Floats  # `(classes, k)` float64, class means in these directions
    precision: Floats  # `(k, k)` float64, inverse of the covariance within classes

    def __call__(self, features: Features) -> tuple[Floats, Floats]:
        """Return logits `(n, classes)` and squared distances `(n,)` to the nearest centre.

        Args:
            features: `(n, d)` float32.
        """
        from scipy.spatial.distance import cdist

        logits, distances = [np.zeros((0, len(self.names)))], [np.zeros(0)]
        for start in range(0, len(features), _CHUNK):
            inputs = (features[start : start + _CHUNK] - self.mean) / self.spread
            logits.append(inputs @ self.weights + self.offset.astype(np.float64))
            points = (inputs @ self.basis).astype(np.float64)
            each = cdist(points, self.centres, "mahalanobis", VI=self.precision)
            distances.append(each.min(axis=1) ** 2)
        return np.concatenate(logits), np.concatenate(distances)

    def save(self, path: Path) -> None:
        """Write plain arrays, atomically."""
        arrays.write(path, {**vars(self), "names": np.array(self.names)})

    @classmethod
    def load(cls, path: Path) -> "Head":
        """Read what `save` wrote; no code is loaded.

        Raises:
            RunError: The file is damaged.
        """
        advice = "delete it, and the same command trains it again"
        values = arrays.read(path, advice)
        if values.keys() != {field.name for field in dataclasses.fields(cls)}:
            raise RunError(f"{path} is damaged (it is no head); {advice}.")
        names = tuple(str(name) for name in values.pop("names"))
        return cls(names=names, **values)


def fit(
    features: Features, classes: NDArray[np.int64], names: tuple[str, ...], l2: float
) -> Head:
    """Train a head on features and class numbers.

    Minimises the mean cross entropy, each class weighing alike, plus `l2` times the sum of
    squared weights.

    Args:
        features: `(n, d)` float32.
        classes: `(n,)`, 0 .. len(names) - 1, each at least once.
        names: The classes, two or more.
        l2: Strength of the penalty, more than 0.
    """
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = features.std(axis=0, dtype=np.float64).astype(np.float32)
    spread[spread < _CONSTANT] = 1.0
    inputs = (features - mean) / spread
    weights, offset = _regression(inputs, classes, l2)
    basis = _directions(inputs)
    points = (inputs @ basis).astype(np.float64)
    centres = np.stack([points[classes == k].mean(axis=0) for k in range(len(names))])
    off = points - centres[classes]
    covariance = off.T @ off / max(1, len(off) - len(names))
    covariance += _SHRINKAGE * np.eye(len(covariance))
    precision = np.linalg.inv(covariance)
    return Head(names, mean, spread, weights, offset, basis, centres, precision)


def _regression(
    inputs: Features, classes: NDArray[np.int64], l2: float
) -> tuple[Features, Features]:
    """Return weights `(d, classes)` and offset `(classes,)`, float32."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    # scikit-learn minimises C * the sum of losses + half the sum of squared weights; of two
    # classes it fits the difference of the logits, whose square is twice theirs.
    strength = 1 / (2 * l2 * len(inputs))
    if classes.max() == 1:
        strength *= 2
    model = LogisticRegression(
        C=strength, class_weight="balanced", tol=_TOLERANCE, max_iter=_STEPS
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ended early on purpose
        model.fit(inputs, classes)
    weights, offset = model.coef_.T, model.intercept_
    if classes.max() == 1:
        weights = np.concatenate([-weights, weights], axis=1) / 2
        offset = np.concatenate([-offset, offset]) / 2
    return weights.astype(np.float32), offset.astype(np.float32)


def _directions(inputs: Features) -> Features:
    """Return principal directions `(d, k)` float32, scaled to variance 1."""
    from sklearn.decomposition import PCA

    n, width = inputs.shape
    count = min(_DIRECTIONS, width, max(1, n // 4))
    model = PCA(
        count,
        svd_solver="randomized",
        n_oversamples=16,
        iterated_power=1,
        random_state=0,
    )
    model.fit(inputs)
    spread = np.sqrt(model.explained_variance_)
    spread[spread < 1e-6] = 1.0
    return np.asarray((model.components_.T / spread).astype(np.float32))
