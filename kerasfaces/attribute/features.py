"""A finished detector and a manifest -> features of every readable image."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.attribute.head import Features
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.imports import import_keras
from kerasfaces.metrics.inputs import Bools
from kerasfaces.run import kinds


@dataclasses.dataclass(frozen=True, eq=False)
class ImageFeatures:
    """Rows and features.

    Attributes:
        rows: Every row of the manifest, each with a split; RangeIndex.
        reasons: Why a row has no features, one text per row; empty where it has.
        read: Returns the features `(n, d)` of the readable rows, in order; called once.
    """

    rows: pd.DataFrame
    reasons: list[str]
    read: Callable[[], Features]

    @property
    def readable(self) -> Bools:
        """Which rows have features, `(n,)`."""
        return np.array([not reason for reason in self.reasons], dtype=bool)


def load(run_folder: Path, manifest: manifests.Manifest) -> ImageFeatures:
    """Return the features of a manifest's images under a run's frozen base.

    They are read from the cache, where training left them; what is missing is computed.

    Args:
        run_folder: A finished run on a frozen base.
        manifest: Every row has a split.

    Raises:
        MissingFileError: There is no such run.
        RunError: The run is not finished or is damaged.
        InputError: The run's base was trained, so that it has no cached features.
    """
    check_run(run_folder)
    import_keras()
    from kerasfaces.core import config as configs
    from kerasfaces.features.cached import FeatureCache, base_recipe
    from kerasfaces.models import assemble, stem
    from kerasfaces.run import predictor as predict

    run = predict.open_run(run_folder)
    if not run.frozen or run.weights is None:
        raise InputError(
            f"{run_folder}: its base was trained with it; attribution takes a run whose base "
            "stayed frozen (train without --unfreeze and with --weights)."
        )
    weights = run.weights
    images = predict.inputs_of(run, manifest.files())
    keys = [
        key for key, why in zip(images.keys, images.reasons, strict=True) if not why
    ]

    def read() -> Features:
        model = predict.load_model(run)
        cache = FeatureCache(
            assemble.extractor_of(model),
            base_recipe(configs.to_dict(run.model), weights, stem.scaling_of(model)),
            images.store,
        )
        features = cache.reader(keys)(np.arange(len(keys)))
        return np.ascontiguousarray(features, dtype=np.float32)

    return ImageFeatures(manifest.rows, list(images.reasons), read)


def check_run(folder: Path) -> None:
    """Refuse what is no detector's run folder.

    Raises:
        MissingFileError: It is no finished run; the message says what it seems to be.
        InputError: It is an ensemble.
    """
    if (folder / "ensemble.json").is_file():
        raise InputError(
            f"{folder} is an ensemble; attribution takes one detector with a frozen base."
        )
    if "train" not in kinds.configuration(folder):
        raise MissingFileError(f"{folder} {kinds.why_no_run(folder)}")
