"""Features -> one logit per class: multinomial logistic regression, the same every time.

Convex, so neither seed nor order of the rows matters and there is no epoch to choose; the
classes weigh alike whatever their counts.
"""

import dataclasses
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path
from kerasfaces.metrics.inputs import Floats

Features = NDArray[np.float32]
_CONSTANT = 1e-2  # a feature that varies less on training data carries nothing
_STEPS = 100
_CHUNK = 2048


@dataclasses.dataclass(frozen=True, eq=False)
class Head:
    """A trained head.

    Attributes:
        mean: `(d,)` float32, of the training features.
        spread: `(d,)` float32, their standard deviation, 1 where constant.
        weights: `(d, classes)` float32, of standardised features.
        offset: `(classes,)` float32.
        names: The classes.
    """

    mean: Features
    spread: Features
    weights: Features
    offset: Features
    names: tuple[str, ...]

    def __call__(self, features: Features) -> Floats:
        """Return logits `(n, classes)` float64 of features `(n, d)`."""
        parts = [
            ((features[start : start + _CHUNK] - self.mean) / self.spread)
            @ self.weights
            for start in range(0, len(features), _CHUNK)
        ]
        if not parts:
            return np.zeros((0, len(self.names)))
        return np.concatenate(parts).astype(np.float64) + self.offset

    def save(self, path: Path) -> None:
        """Write plain arrays, atomically."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                mean=self.mean,
                spread=self.spread,
                weights=self.weights,
                offset=self.offset,
                names=np.array(self.names),
            )

    @classmethod
    def load(cls, path: Path) -> "Head":
        """Read what `save` wrote; no code is loaded.

        Raises:
            RunError: The file is damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                arrays = {
                    key: held[key] for key in ("mean", "spread", "weights", "offset")
                }
                names = tuple(str(name) for name in held["names"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise RunError(
                f"{path} is damaged ({error}); delete it, and the same command trains it again."
            ) from error
        return cls(**arrays, names=names)


def fit(
    features: Features,
    classes: NDArray[np.int64],
    names: tuple[str, ...],
    l2: float,
) -> Head:
    """Train a head.

    Minimises the mean cross entropy, each class weighing alike, plus `l2` times the sum of
    squared weights.

    Args:
        features: `(n, d)` float32.
        classes: `(n,)`, 0 .. len(names) - 1, each at least once.
        names: The classes.
        l2: Strength of the penalty, more than 0.
    """
    from scipy.optimize import minimize

    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = features.std(axis=0, dtype=np.float64).astype(np.float32)
    spread[spread < _CONSTANT] = 1.0
    inputs = (features - mean) / spread
    counts = np.bincount(classes, minlength=len(names))
    share = (1 / (len(names) * counts[classes])).astype(np.float32)
    wanted = np.eye(len(names), dtype=np.float32)[classes]
    shape = (features.shape[1] + 1, len(names))

    def loss(flat: Floats) -> tuple[float, Floats]:
        values = flat.reshape(shape).astype(np.float32)
        logits = inputs @ values[:-1] + values[-1]
        logits -= logits.max(axis=1, keepdims=True)
        likelihood = np.exp(logits)
        total = likelihood.sum(axis=1, keepdims=True)
        own = (logits * wanted).sum(axis=1) - np.log(total[:, 0])
        off = share[:, None] * (likelihood / total - wanted)
        slope = np.empty(shape, dtype=np.float64)
        slope[:-1] = inputs.T @ off + 2 * l2 * values[:-1]
        slope[-1] = off.sum(axis=0)
        penalty = l2 * float(np.square(values[:-1], dtype=np.float64).sum())
        return penalty - float((share * own).sum(dtype=np.float64)), slope.ravel()

    found = minimize(
        loss,
        np.zeros(shape[0] * shape[1]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _STEPS, "ftol": 1e-7},
    )
    values = found.x.reshape(shape).astype(np.float32)
    return Head(mean, spread, values[:-1], values[-1], names)
