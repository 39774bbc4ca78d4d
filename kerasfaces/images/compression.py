"""How strongly a file is compressed, by what it says of itself."""

import numpy as np

from kerasfaces.images import Probe

_STANDARD_MEAN = 57.625  # of the luminance table of quality 50


def jpeg_quality(probe: Probe) -> float:
    """Return the quality (1..100) whose luminance table is nearest; 0 without tables.

    The inverse of the scaling of the IJG encoder, from the mean of the table, so that it
    is an estimate for any other encoder.
    """
    tables = probe["quantization"]
    if not tables:
        return 0.0
    scale = 100 * float(np.mean(tables[min(tables)])) / _STANDARD_MEAN
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return float(np.clip(round(quality), 1, 100))
