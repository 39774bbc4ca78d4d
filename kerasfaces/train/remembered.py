"""A trained network and its images -> `training_features.npz` of its run."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.models.network import embedder_of, final_layer_of
from kerasfaces.run import network_outputs, training_features
from kerasfaces.run.folder import DetectorRun

if TYPE_CHECKING:
    import keras

    from kerasfaces.features.cached import FeatureCache
    from kerasfaces.train.data import Data

logger = logging.getLogger(__name__)

Positions = NDArray[np.int64]
Embed = Callable[[Positions], NDArray[np.float32]]  # rows -> the head's final layer
_LABEL = "final layer"
_CHUNK = 1024


def of_features(head: "keras.Model", features: "FeatureCache", data: "Data") -> Embed:
    """Return rows -> final layer `(n, width)`, from the cached features of a frozen base."""
    final = final_layer_of(head)

    def embed(rows: Positions) -> NDArray[np.float32]:
        import keras

        read = features.reader(data.keys(rows))
        parts = [  # eagerly: a trace per head would cost more
            keras.ops.convert_to_numpy(final(read(part), training=False))
            for part in np.array_split(np.arange(len(rows)), -(-len(rows) // _CHUNK))
        ]
        return np.concatenate(parts)

    return embed


def of_images(model: "keras.Model", data: "Data") -> Embed:
    """Return rows -> final layer `(n, width)`, by the whole network."""
    whole = embedder_of(model)
    return lambda rows: network_outputs.of_reader(
        whole, data.reader(rows), len(rows), _LABEL
    )


def remember(run: DetectorRun, embed: Embed, data: "Data", seed: int) -> None:
    """Write a run's training features; a network that has none is told in the log.

    Args:
        run: The run folder.
        embed: See `of_features`.
        data: Its images, labels and splits.
        seed: Key of the draws.
    """
    every = data.readable("train")
    rows = every[training_features.drawn(len(every), seed)]
    val = data.readable("val")[: training_features.MOST]
    try:
        features = training_features.describe(
            embed(rows),
            embed(val),
            labels=data.labels(rows) > 0,
            sources=data.sources(rows),
            keys=data.keys(rows),
            n_training=len(every),
            seed=seed,
        )
    except InputError as error:
        logger.warning(
            "the run keeps no training features (%s): its answers cannot say how far an "
            "image is from them, and `kerasfaces similar` finds nothing in it",
            error,
        )
        return
    features.write(run.training_features_file)
