"""A finished detector and a manifest -> features of every readable image."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.attribute.head import Features
from kerasfaces.core.errors import InputError
from kerasfaces.core.imports import import_keras
from kerasfaces.metrics.inputs import Bools
from kerasfaces.run.folder import DetectorRun


@dataclasses.dataclass(frozen=True, eq=False)
class ImageFeatures:
    """Features of images that could be read, beside their manifest rows."""

    rows: pd.DataFrame  # every row of the manifest, each with a split; RangeIndex
    # Why a row has no features, one text per row; empty where it has.
    reasons: list[str]
    # Returns the features `(n, d)` of the readable rows, in order; called once.
    read: Callable[[], Features]

    @property
    def readable(self) -> Bools:
        """Which rows have features, `(n,)`."""
        return np.array([not reason for reason in self.reasons], dtype=bool)


def load(run_folder: Path, manifest: manifests.Manifest) -> ImageFeatures:
    """Return the features of a manifest's images under a finished run's frozen base.

    They are read from the cache, where training left them; what is missing is computed.

    Raises:
        MissingFileError: There is no such run.
        RunError: The run is not finished or is damaged.
        InputError: The run's base was trained, so that it has no cached features.
    """
    run = DetectorRun.open(run_folder)
    import_keras()
    from kerasfaces.run import frozen, inputs

    trained = run.network
    if not trained.frozen:
        raise InputError(
            f"{run_folder}: its base was trained with it, and attribution needs a run whose "
            "base stayed frozen; train one first: `Detector(weights='imagenet').fit(data)`."
        )
    images = inputs.inputs_of(trained, manifest.files())
    keys = [
        key for key, why in zip(images.keys, images.reasons, strict=True) if not why
    ]

    def read() -> Features:
        cache = frozen.frozen_features(trained, trained.load(), images.store)
        features = cache.reader(keys)(np.arange(len(keys)))
        return np.ascontiguousarray(features, dtype=np.float32)

    return ImageFeatures(manifest.rows, list(images.reasons), read)
