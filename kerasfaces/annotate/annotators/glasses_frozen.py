"""Glasses by a linear head on a frozen base's features of the eyes: a little better, slower.

EfficientNet-Lite0 with its ImageNet weights (extra `lite`) sees the patch of `eye_region` in
a square of its mean grey; the head in the package was trained like that of `glasses`.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.annotate.annotators import glasses
from kerasfaces.annotate.contract import Annotator, Floats, Weights
from kerasfaces.core.imports import import_keras

SOURCE, LICENCE, VERSION = glasses.SOURCE, glasses.LICENCE, 1
PUBLISHED = glasses.PUBLISHED
ATTRIBUTES = glasses.ATTRIBUTES
FRAMEWORK = "tensorflow"
BASE, SIZE_PX = "efficientnet_lite0", 160


def features(patches: Sequence[Floats]) -> Floats:
    """Return what the base sees, `(n, features)` float32.

    Args:
        patches: `(40, 80)` float32 grey levels, 0..255, each from `eye_region.patch`.

    Raises:
        MissingExtraError: The base's weights are not installed.
    """
    pixels = np.array([_square(patch) for patch in patches], np.float32)
    seen: Floats = _base()[0].predict_on_batch(pixels)
    return seen


def _square(patch: Floats) -> NDArray[np.float32]:
    missing = patch.shape[1] - patch.shape[0]
    rows = (missing // 2, missing - missing // 2)
    square = Image.fromarray(np.pad(patch, (rows, (0, 0)), "mean"))
    grey = square.resize((SIZE_PX, SIZE_PX), Image.Resampling.BICUBIC)
    return np.repeat(np.asarray(grey, np.float32)[..., None], 3, axis=2)


@functools.cache
def _base() -> tuple[Any, Mapping[str, Any]]:
    """Return image -> features, and what says which weights these are of."""
    import_keras()
    from kerasfaces.models import catalogue, network
    from kerasfaces.models.config import ModelConfig

    architecture = catalogue.load(BASE)
    config = ModelConfig(
        name=BASE,
        size_px=SIZE_PX,
        taps=architecture.taps,
        pooling="mean_std",
        options=architecture.options,
    )
    weights = architecture.find_weights("imagenet", config)
    assert weights is not None  # noqa: S101 - for the type checker: ImageNet's
    model = architecture.build(config, weights)
    described = {"base": BASE, "size_px": SIZE_PX, "base_weights": weights.describe()}
    return network.extractor_of(model), described


def build(weights: Weights) -> Annotator:
    """Return the annotator."""
    _, described = _base()
    return glasses.Head("frozen", lambda patch: features([patch]), described)
