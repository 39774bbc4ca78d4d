"""Do logits from cached features and from the whole model agree? On a few images."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.features import engines
from kerasfaces.train.data import Data

logger = logging.getLogger(__name__)

_CHECKED_IMAGES = 4


def worst(model: Any, data: Data, logits: NDArray[np.float64], traced: bool) -> float:
    """Return how far both logits of some test images differ at most.

    Args:
        model: The whole model.
        data: Images.
        logits: Of the readable test images, from cached features.
        traced: Trace the model, which pays where it is used again.
    """
    positions = data.readable("test")[:_CHECKED_IMAGES]
    pixels = data.images.store.gather(data.keys(positions))
    if traced:
        whole = np.asarray(model.predict_on_batch(pixels.astype(np.float32)))[:, 0]
    else:
        whole = engines.eagerly(model, pixels)[:, 0]
    difference = float(np.max(np.abs(whole - logits[: len(positions)])))
    logger.info("cached and end-to-end logits differ by at most %.1e", difference)
    return difference
