"""What a run remembers of its training images: where each lies in the head's final layer.

Vectors have 64 numbers: the coordinates along the directions in which training images differ
most (PCA), and the length of what these leave out. So an image far off those directions is
far from all training images, and few bytes tell it. Images are named by hash alone.

A distance says how unlike the training images something is to this detector. It does not
say that the verdict is wrong: an image can be near and misjudged.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import arrays, rng
from kerasfaces.core.errors import InputError, RunError

MOST = 20_000  # training images that are remembered
DIRECTIONS = 63
WIDEST = 16_384  # numbers of a final layer; wider ones would make the file too large
CAUTIOUS_PCT = 99  # of validation images that may lie nearer before an answer says so
_FITTED = 2_000  # images that the directions are fitted on
_CHUNK = 256
_MOST_BYTES = 2**26  # unpacked; the largest that is written has 5 MB
_LARGEST = 60_000.0  # that 16 bits hold

Floats = NDArray[np.float32]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingFeatures:
    """Training images in the head's final layer.

    Attributes:
        vectors: Training images `(n, d)` float16; see `project`.
        fake: Their labels, `(n,)` bool.
        source: Place of each one's source in `sources`, `(n,)` uint16.
        sources: Names of sources.
        hashes: SHA-256 of the files, `(n, 32)` uint8; `(0, 32)` where they were taken out.
        n_training: Number of training images, of which `n` were drawn.
        mean: Of the final layer on training images, `(width,)` float32.
        directions: Rows `(d - 1, width)` int8, orthonormal once multiplied by `scale`.
        scale: `(d - 1,)` float32.
        val_distances: From each validation image to its nearest training image, sorted
            `(m,)` float32.
    """

    vectors: NDArray[np.float16]
    fake: NDArray[np.bool_]
    source: NDArray[np.uint16]
    sources: tuple[str, ...]
    hashes: NDArray[np.uint8]
    n_training: int
    mean: Floats
    directions: NDArray[np.int8]
    scale: Floats
    val_distances: Floats

    @property
    def width(self) -> int:
        """Numbers of the final layer."""
        return len(self.mean)

    def project(self, embedding: NDArray[np.floating]) -> Floats:
        """Return final layers `(k, width)` as vectors `(k, d)`."""
        return _project(embedding, self.mean, self.directions, self.scale)

    def nearest(
        self, vectors: Floats, count: int = 1
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return the nearest training images of vectors `(k, d)`.

        Returns:
            Their positions and Euclidean distances, each `(k, count)`, nearest first;
            `count` is at most the number of training images.
        """
        return nearest(vectors, self.vectors.astype(np.float32), count)

    def percentile(self, distances: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the share of validation images that lie nearer, in per cent."""
        below = np.searchsorted(self.val_distances, distances, side="left")
        return np.asarray(100.0 * below / len(self.val_distances))

    def caution(self, embedding: NDArray[np.floating]) -> str:
        """Say that a picture's final layer `(width,)` is far from training; else nothing."""
        vector = self.project(np.asarray(embedding)[None])
        if not np.isfinite(vector).all():
            return ""  # the logit is not finite either, and the answer says so
        pct = float(self.percentile(self.nearest(vector)[1][0])[0])
        if pct < CAUTIOUS_PCT:
            return ""
        n = len(self.val_distances)
        share = "all" if pct == 100 else f"{np.floor(pct):.0f} % of"
        return f"farther from the training images than {share} {n:,} validation images"

    def without_hashes(self) -> Self:
        """Return it without what tells which files were trained on."""
        return dataclasses.replace(self, hashes=np.zeros((0, 32), np.uint8))

    def write(self, path: Path) -> None:
        """Write an .npz of plain numbers and the sources' names."""
        fields = {
            field.name: np.asarray(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }
        arrays.write(path, fields | {"sources": np.array(self.sources, dtype=np.str_)})


def describe(
    train: NDArray[np.floating],
    val: NDArray[np.floating],
    *,
    labels: Sequence[bool] | NDArray[np.bool_],
    sources: Sequence[str],
    keys: Sequence[str],
    n_training: int,
    seed: int,
) -> TrainingFeatures:
    """Return what is remembered of training images.

    Args:
        train: Final layers of training images, `(n, width)`.
        val: Of validation images, `(m, width)`.
        labels: Which training images are fake, `(n,)`.
        sources: Of training images.
        keys: SHA-256 of training images, in hexadecimal.
        n_training: Number of training images that `train` was drawn from.
        seed: Key of the draws.

    Raises:
        InputError: The layer is too wide, or a number is not finite.
    """
    width = train.shape[1]
    if width > WIDEST:
        raise InputError(
            f"the head's final layer has {width:,} numbers, and at most {WIDEST:,} are kept"
        )
    if not (np.isfinite(train).all() and np.isfinite(val).all()):
        raise InputError("the head's final layer is not finite for some image")
    mean = train.mean(axis=0, dtype=np.float64).astype(np.float32)
    directions, scale = _directions(train, mean, seed)
    exact = _project(train, mean, directions, scale)
    vectors = np.clip(exact, -_LARGEST, _LARGEST).astype(np.float16)
    near = _project(val, mean, directions, scale)
    _, distances = nearest(near, vectors.astype(np.float32), 1)
    names = tuple(sorted(set(sources)))
    return TrainingFeatures(
        vectors=vectors,
        fake=np.asarray(labels, np.bool_),
        source=np.array([names.index(each) for each in sources], np.uint16),
        sources=names,
        hashes=np.frombuffer(bytes.fromhex("".join(keys)), np.uint8).reshape(-1, 32),
        n_training=n_training,
        mean=mean,
        directions=directions,
        scale=scale,
        val_distances=np.sort(distances[:, 0]),
    )


def drawn(count: int, seed: int) -> NDArray[np.int64]:
    """Return the positions of the training images that are remembered, in order."""
    if count <= MOST:
        return np.arange(count)
    draw = rng.generator(seed, "training features").choice(count, MOST, replace=False)
    return np.asarray(np.sort(draw))


def nearest(
    vectors: Floats, among: Floats, count: int
) -> tuple[NDArray[np.int64], Floats]:
    """Return positions and distances, each `(k, count)`, of the nearest rows.

    Args:
        vectors: `(k, d)`, finite.
        among: `(n, d)`, finite, n at least 1.
        count: At most n.
    """
    count = min(count, len(among))
    squares = np.square(among).sum(axis=1)
    positions = np.zeros((len(vectors), count), np.int64)
    distances = np.zeros((len(vectors), count), np.float32)
    for at in range(0, len(vectors), _CHUNK):
        part = vectors[at : at + _CHUNK]
        rough = squares - 2 * part @ among.T
        chosen = np.argpartition(rough, count - 1, axis=1)[:, :count]
        # Anew by differences: those of squares lose the digits of small distances.
        exact = np.linalg.norm(among[chosen] - part[:, None], axis=2)
        order = np.argsort(exact, axis=1, kind="stable")
        positions[at : at + _CHUNK] = np.take_along_axis(chosen, order, axis=1)
        distances[at : at + _CHUNK] = np.take_along_axis(exact, order, axis=1)
    return positions, distances


def read(path: Path) -> TrainingFeatures:
    """Read what `TrainingFeatures.write` wrote; no code is loaded.

    Raises:
        RunError: It is damaged, or its arrays do not fit each other.
    """
    advice = "delete it, or train the run again"
    values: dict[str, Any] = {**arrays.read(path, advice, max_bytes=_MOST_BYTES)}
    try:
        values["sources"] = tuple(str(name) for name in values["sources"])
        values["n_training"] = int(values["n_training"])
        features = TrainingFeatures(**values)
        _check(features)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"{path} is damaged, or of another version ({type(error).__name__}: {error}); "
            f"{advice}."
        ) from error
    return features


def _check(features: TrainingFeatures) -> None:
    n, d = features.vectors.shape
    shapes = {
        "fake": (n,),
        "source": (n,),
        "mean": (features.width,),
        "directions": (d - 1, features.width),
        "scale": (d - 1,),
        "hashes": (n if len(features.hashes) else 0, 32),
        "val_distances": (len(features.val_distances),),
    }
    for name, shape in shapes.items():
        if getattr(features, name).shape != shape:
            raise ValueError(f"{name} has shape {getattr(features, name).shape}")
    numbers = ("vectors", "mean", "scale", "val_distances")
    if not all(np.isfinite(getattr(features, name)).all() for name in numbers):
        raise ValueError("a number is not finite")
    if n < 1 or not len(features.val_distances):
        raise ValueError("no image")
    if features.source.max() >= len(features.sources):
        raise ValueError("a source has no name")


def _directions(
    train: NDArray[np.floating], mean: Floats, seed: int
) -> tuple[NDArray[np.int8], Floats]:
    """Return the directions of largest variance, at most `DIRECTIONS`, and their scale.

    In 8 bits: 6,912 numbers each are most of the file, and a hundredth of a number's
    deviation moves no neighbour.
    """
    from sklearn.utils.extmath import randomized_svd

    if len(train) > _FITTED:
        draw = rng.generator(seed, "directions")
        train = train[np.sort(draw.choice(len(train), _FITTED, replace=False))]
    centred = (train - mean).astype(np.float32)
    count = min(DIRECTIONS, *centred.shape)
    _, _, rows = randomized_svd(centred, count, n_iter=2, random_state=seed)
    scale = np.abs(rows).max(axis=1) / 127
    quantised = np.round(rows / scale[:, None]).astype(np.int8)
    return quantised, scale.astype(np.float32)


def _project(
    embedding: NDArray[np.floating],
    mean: Floats,
    directions: NDArray[np.int8],
    scale: Floats,
) -> Floats:
    rows = directions * scale[:, None]
    centred = np.asarray(embedding, np.float32) - mean
    along = centred @ rows.T
    rest = np.linalg.norm(centred - along @ rows, axis=1, keepdims=True)
    return np.concatenate([along, rest], axis=1)
