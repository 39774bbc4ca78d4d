"""Training images -> their views: the images themselves, laundered ones, augmented ones."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.dataset.batches import Read, Source
from kerasfaces.dataset.channels import Arrays
from kerasfaces.dataset.laundered import Picture, launder_images
from kerasfaces.features.cached import FeatureCache
from kerasfaces.features.extraction import View
from kerasfaces.features.readers import Reader
from kerasfaces.manifest.table import column
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data, Positions


@dataclasses.dataclass(frozen=True)
class TrainingView:
    """One view of some images before the base sees them."""

    arrays: Arrays  # where its pixels are, before augmentation
    keys: list[str]  # their names there, one per image
    view: View  # the augmentation


def training_views(
    config: TrainConfig, data: Data, rows: Positions
) -> list[TrainingView]:
    """Return every view of rows; laundered ones are brought into the cache.

    Raises:
        InputError: A picture that is to be laundered cannot be read.
    """
    numbers = range(config.views)
    views = [View(number=number, augment=config.augment) for number in numbers]
    plain, keys = data.images.store, data.keys(rows)
    if not config.launder:
        return [TrainingView(plain, keys, view) for view in views]
    pictures = _pictures(data, rows, keys)
    cache = launder_images(
        pictures, numbers[1:], config.input_spec, config.launder, data.spread
    )
    return [
        TrainingView(cache, [each.name(view.number) for each in pictures], view)
        if view.number
        else TrainingView(plain, keys, view)
        for view in views
    ]


def feature_readers(
    features: FeatureCache, views: Sequence[TrainingView]
) -> list[Reader]:
    """Return a reader of each view's features, `(n, n_features)`.

    `features` are of the first view's images.
    """
    readers: list[Reader] = []
    others: dict[int, FeatureCache] = {id(views[0].arrays): features}
    for each in views:
        key = id(each.arrays)
        if key not in others:
            others[key] = features.of(each.arrays)
        readers.append(others[key].reader(each.keys, each.view))
    return readers


def source(
    config: TrainConfig,
    labels: NDArray[np.float32],
    reads: Sequence[Read],
    sources: Sequence[str] = (),
    own: NDArray[np.float32] | None = None,
) -> Source:
    """Return training examples with the weights the configuration gives them.

    Args:
        config: `class_weights` lets both classes weigh alike; `weigh_sources="sqrt"` lets
            a source of m images weigh by sqrt(m) within its class, `equal` all alike.
        labels: `(n,)`, 1 = fake.
        reads: One reader per view.
        sources: `(n,)` names; needed where sources weigh by their number.
        own: `(n,)` of the images by themselves; see `Data.weights`.

    Raises:
        InputError: The configuration names a column of weights that is not to be had here.
    """
    if config.weight_column and own is None:
        raise InputError(
            "weight_column: studies and families left out do not weigh by a column."
        )
    weights = np.ones_like(labels)
    if config.class_weights:
        share = labels.mean()
        balanced = np.where(labels == 1, 0.5 / share, 0.5 / (1 - share))
        weights = balanced.astype(np.float32)
    if config.weigh_sources != "images":
        power = 0.5 if config.weigh_sources == "sqrt" else 1.0
        weights = weights * _by_source(labels, sources, power)
    if own is not None:
        weights = weights * own
    return Source(reads=reads, labels=labels, weights=weights)


def _by_source(
    labels: NDArray[np.float32], sources: Sequence[str], power: float
) -> NDArray[np.float32]:
    """Return `(n,)` factors, an image's falling with its source's size by a power.

    Their mean is 1 in each class.
    """
    names = [f"{label:g} {name}" for label, name in zip(labels, sources, strict=True)]
    _, place, counts = np.unique(names, return_inverse=True, return_counts=True)
    factors = 1.0 / counts[place] ** power
    for label in np.unique(labels):
        factors[labels == label] /= factors[labels == label].mean()
    return factors.astype(np.float32)


def _pictures(data: Data, rows: Positions, keys: Sequence[str]) -> list[Picture]:
    files, pairs = data.manifest.files(), column(data.rows, "pair_id")
    return [
        Picture(path=files[row], sha256=key, key=pairs[row] or key)
        for row, key in zip(rows, keys, strict=True)
    ]
