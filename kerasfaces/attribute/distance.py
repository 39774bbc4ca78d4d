"""How far features lie from every class: the other half of looking unknown.

A head's doubt notices images between classes; an image beyond all of them can leave it
sure of itself. Squared Mahalanobis distance to the nearest class centre (Lee et al. 2018)
in the training images' principal directions, all classes with one covariance.
"""

import dataclasses
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from kerasfaces.attribute.softmax import Features, Head
from kerasfaces.core import rng
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path
from kerasfaces.metrics.inputs import Floats

_DIRECTIONS = 48
_SPARE = 16  # further random directions, for the accuracy of those kept
_SHRINKAGE = 1e-3  # added to the covariance of directions scaled to variance 1
_CHUNK = 2048


@dataclasses.dataclass(frozen=True, eq=False)
class Space:
    """Where the classes lie.

    Attributes:
        basis: `(d, k)` float32, from standardised features to directions of variance 1.
        centres: `(classes, k)` float64.
        precision: `(k, k)` float64, inverse of the covariance within classes.
    """

    basis: Features
    centres: Floats
    precision: Floats

    def __call__(self, head: Head, features: Features) -> Floats:
        """Return squared distances `(n,)` of features `(n, d)` to the nearest centre.

        Args:
            head: Trained on the same images; standardises.
            features: `(n, d)` float32.
        """
        parts = [
            _nearest(_project(head, features[start : start + _CHUNK], self.basis), self)
            for start in range(0, len(features), _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def save(self, path: Path) -> None:
        """Write plain arrays, atomically."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                basis=self.basis,
                centres=self.centres,
                precision=self.precision,
            )

    @classmethod
    def load(cls, path: Path) -> "Space":
        """Read what `save` wrote; no code is loaded.

        Raises:
            RunError: The file is damaged.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                return cls(held["basis"], held["centres"], held["precision"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise RunError(
                f"{path} is damaged ({error}); delete it, and the same command makes it again."
            ) from error


def fit(head: Head, features: Features, classes: NDArray[np.int64]) -> Space:
    """Find directions, centres and covariance of training images.

    Args:
        head: Trained on them.
        features: `(n, d)` float32.
        classes: `(n,)`, each class at least once.
    """
    inputs = (features - head.mean) / head.spread
    n, width = inputs.shape
    kept = min(_DIRECTIONS, width, max(1, n // 4))
    # Principal directions by random projection (Halko et al. 2011), one power step.
    generator = rng.generator(0, "directions")
    start = generator.normal(size=(n, min(kept + _SPARE, n))).astype(np.float32)
    within, _ = np.linalg.qr(inputs @ (inputs.T @ start))
    _, _, directions = np.linalg.svd(within.T @ inputs, full_matrices=False)
    basis = directions[:kept].T
    points = inputs @ basis
    spread = points.std(axis=0)
    spread[spread < 1e-6] = 1.0
    basis, points = basis / spread, (points / spread).astype(np.float64)
    centres = np.stack(
        [points[classes == k].mean(axis=0) for k in range(len(head.names))]
    )
    off = points - centres[classes]
    covariance = off.T @ off / max(1, n - len(centres))
    covariance += _SHRINKAGE * np.eye(covariance.shape[0])
    return Space(basis.astype(np.float32), centres, np.linalg.inv(covariance))


def _project(head: Head, features: Features, basis: Features) -> Floats:
    return np.asarray(((features - head.mean) / head.spread) @ basis, dtype=np.float64)


def _nearest(points: Floats, space: Space) -> Floats:
    off = [points - centre for centre in space.centres]
    each = [((part @ space.precision) * part).sum(axis=1) for part in off]
    return np.asarray(np.min(each, axis=0), dtype=np.float64)
