"""Do logits from cached features and from the whole model agree? On a few images."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.features import engines
from kerasfaces.train.data import Data

logger = logging.getLogger(__name__)

_CHECKED_IMAGES = 4


def worst(
    model: Any, data: Data, logits: NDArray[np.float64], extractor: Any = None
) -> float:
    """Return how far both logits of some test images differ at most.

    Args:
        model: The whole model.
        data: Images.
        logits: Of the readable test images, from cached features.
        extractor: The model's base, if several runs share it: tracing it once pays. The
            head stays out, whose standardisation a trace would keep as a constant.
    """
    positions = data.readable("test")[:_CHECKED_IMAGES]
    pixels = data.images.store.gather(data.keys(positions))
    if extractor is None:
        whole = engines.eagerly(model, pixels)[:, 0]
    else:
        features = extractor.predict_on_batch(pixels.astype(np.float32))
        head = model.get_layer("head")
        whole = np.asarray(head(features, training=False))[:, 0]
    difference = float(np.max(np.abs(whole - logits[: len(positions)])))
    logger.info("cached and end-to-end logits differ by at most %.1e", difference)
    return difference
