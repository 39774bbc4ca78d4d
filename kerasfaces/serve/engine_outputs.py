"""What an engine gives for prepared pictures, and the logits at which verdicts change."""

import numpy as np
from numpy.typing import NDArray

from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.serve.formats import Outputs

BATCH = 4  # that the engine computes at a time: larger ones leave a core's cache


def batched(
    compute: Outputs, pixels: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
    """Return logits `(n,)` and final layers `(n, width)` of pixels, n at least 1."""
    parts = [
        compute(pixels[at : at + BATCH].astype(np.float32))
        for at in range(0, len(pixels), BATCH)
    ]
    logits = np.concatenate([part[0] for part in parts])[:, 0].astype(np.float64)
    embeddings = [part[1] for part in parts if part[1] is not None]
    return logits, np.concatenate(embeddings) if embeddings else None


def edges(point: OperatingPoint) -> NDArray[np.float64]:
    """Return the logits at which verdicts change, `(k,)`; none where no logit matters."""
    low, high = point.abstain
    scores = {point.threshold} | ({low, high} if low < high else set())
    a, b = point.calibrator.a, point.calibrator.b
    inner = np.array([score for score in scores if 0 < score < 1], dtype=np.float64)
    if a == 0:
        return np.zeros(0)
    return np.asarray((np.log(inner) - np.log1p(-inner) - b) / a)
