"""A linear head in closed form that looks for what all generators have in common.

Fisher's discriminant over sources: the mean of the fake sources is to be far from the mean of
the real ones, in units of the scatter inside sources, of the scatter between the means of the
generators, and of a ridge. What only one generator does is scatter between generators, so it
is no reason; each source weighs alike, whatever its number of images. With the cameras' scatter
in the same place this is multidomain discriminant analysis (Hu et al. 2019, arXiv 1907.11216).
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from kerasfaces.features.readers import Reader
from kerasfaces.models.config import HeadConfig

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)
_CHUNK = 2048
Floats = NDArray[np.floating]


def fit(
    head: "keras.Model",
    config: HeadConfig,
    readers: Sequence[Reader],
    labels: NDArray[np.float32],
    sources: Sequence[str],
) -> float:
    """Set the weights of a head that is standardised already; return the training loss.

    Args:
        head: As `network.build_head` returns it, without hidden layers.
        config: `shrinkage` and `between`.
        readers: One per view: positions `(m,)` -> `(m, n_features)`.
        labels: `(n,)`, 1 = fake.
        sources: `(n,)` names.
    """
    import keras

    logit = head.get_layer("logit")
    front = keras.Model(head.input, logit.input)
    parts = [_through(front, reader) for reader in readers]
    features = np.concatenate(parts)
    fake = np.tile(labels == 1, len(readers))
    names = np.tile(np.array(sources, dtype=object), len(readers))
    groups = [
        (is_fake, np.flatnonzero((fake == is_fake) & (names == name)))
        for is_fake in (False, True)
        for name in sorted(set(names[fake == is_fake]))
    ]
    weights = direction(features, groups, config.shrinkage, config.between)
    projected = features @ weights
    slope, offset, loss = _scaled(projected, groups)
    logit.set_weights(
        [(slope * weights)[:, None].astype(np.float32), np.array([offset], np.float32)]
    )
    return loss


def direction(
    features: NDArray[np.float32],
    groups: Sequence[tuple[bool, NDArray[np.int64]]],
    shrinkage: float,
    between: float,
) -> NDArray[np.float32]:
    """Return the discriminant direction, `(width,)`; it changes `features` nowhere.

    Args:
        features: `(n, width)` standardised.
        groups: Of each source whether it is fake, and its rows.
        shrinkage: Ridge, in units of the mean variance inside sources.
        between: Weight of the scatter between the generators' means.
    """
    counts = {
        is_fake: sum(each == is_fake for each, _ in groups) for is_fake, _ in groups
    }
    means: dict[bool, list[Floats]] = {False: [], True: []}
    rows = []
    for is_fake, own in groups:
        mean = features[own].mean(axis=0)
        means[is_fake].append(mean)
        rows.append((features[own] - mean) / np.sqrt(2 * counts[is_fake] * len(own)))
    generators = np.stack(means[True])
    difference = generators.mean(axis=0) - np.stack(means[False]).mean(axis=0)
    scatter = sum(float(np.vdot(each, each)) for each in rows)
    ridge = max(shrinkage * scatter / features.shape[1], 1e-6)
    if between and len(generators) > 1:
        centred = generators - generators.mean(axis=0)
        rows.append(np.sqrt(between / len(generators)) * centred)
    stacked = np.concatenate(rows)
    # (R I + S'S)^-1 d, by whichever of both Gram matrices is smaller.
    if len(stacked) < features.shape[1]:
        gram = (stacked @ stacked.T).astype(np.float64)
        gram[np.diag_indices_from(gram)] += ridge
        inner = linalg.solve(
            gram, stacked @ difference, assume_a="pos", overwrite_a=True
        )
        weights = (difference - stacked.T @ inner) / ridge
    else:
        gram = (stacked.T @ stacked).astype(np.float64)
        gram[np.diag_indices_from(gram)] += ridge
        weights = linalg.solve(gram, difference, assume_a="pos", overwrite_a=True)
    return np.asarray(weights, np.float32)


def _through(front: "keras.Model", reader: Reader) -> NDArray[np.float32]:
    import keras

    parts = [
        keras.ops.convert_to_numpy(
            front(reader(np.arange(start, min(start + _CHUNK, len(reader)))))
        )
        for start in range(0, len(reader), _CHUNK)
    ]
    return np.concatenate(parts).astype(np.float32)


def _scaled(
    projected: Floats, groups: Sequence[tuple[bool, NDArray[np.int64]]]
) -> tuple[float, float, float]:
    """Return slope and offset that make logits of projections, and their loss.

    Platt's targets (Platt 1999) keep the slope finite where training is separated.
    """
    weights, targets = np.zeros(len(projected)), np.zeros(len(projected))
    for is_fake in (False, True):
        own = [rows for each, rows in groups if each == is_fake]
        count = sum(map(len, own))
        for rows in own:
            weights[rows] = 0.5 / (len(own) * len(rows))
            targets[rows] = (count + 1) / (count + 2) if is_fake else 1 / (count + 2)
    centre, deviation = projected.mean(), max(float(projected.std()), 1e-12)
    values = (projected - centre) / deviation

    def loss(parameters: Floats) -> tuple[float, Floats]:
        logits = parameters[0] * values + parameters[1]
        error = weights * (1 / (1 + np.exp(-np.clip(logits, -500, 500))) - targets)
        total = np.dot(weights, np.logaddexp(0, logits) - targets * logits)
        return float(total), np.array([np.dot(error, values), error.sum()])

    best = optimize.minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS")
    slope = float(best.x[0]) / deviation
    return slope, float(best.x[1]) - slope * float(centre), float(best.fun)
