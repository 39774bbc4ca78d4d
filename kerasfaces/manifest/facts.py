"""What a file tells without its picture: numbers a shortcut could be learnt from."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# The luminance table of the JPEG standard (Annex K), in natural order: mean 57.6.
_STANDARD_MEAN = 57.625

Probe = dict[str, Any]

FACTS: dict[str, Callable[[Probe], float | str]] = {
    "width_px": lambda probe: float(probe["width_px"]),
    "height_px": lambda probe: float(probe["height_px"]),
    "aspect": lambda probe: probe["width_px"] / probe["height_px"],
    "format": lambda probe: str(probe["format"]),
    "mode": lambda probe: str(probe["mode"]),
    "jpeg_quality": lambda probe: jpeg_quality(probe),
    "jpeg_tables": lambda probe: _tables(probe),
    "chroma_subsampling": lambda probe: str(probe["subsampling"]),
    "progressive": lambda probe: float(probe["progressive"]),
    "bytes_per_pixel": lambda probe: (
        probe["n_bytes"] / (probe["width_px"] * probe["height_px"])
    ),
    "has_exif": lambda probe: float(probe["has_exif"]),
    "has_icc": lambda probe: float(probe["has_icc"]),
    "frames": lambda probe: float(probe["n_frames"]),
}


def tell(probes: Sequence[Probe]) -> pd.DataFrame:
    """Return the facts of files as they are: numbers and texts, one row per file."""
    return pd.DataFrame(
        {name: [fact(probe) for probe in probes] for name, fact in FACTS.items()}
    )


def encode(facts: pd.DataFrame) -> NDArray[np.float64]:
    """Return facts as `(n, facts)` float64; texts become their rank among the texts."""
    columns = []
    for name in facts:
        values = facts[name]
        if not pd.api.types.is_numeric_dtype(values):
            _, codes = np.unique(values.to_numpy(dtype=str), return_inverse=True)
            values = pd.Series(codes)
        columns.append(values.to_numpy(dtype=np.float64))
    return np.stack(columns, axis=1)


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


def _tables(probe: Probe) -> str:
    tables = probe["quantization"]
    if not tables:
        return ""
    text = repr([tables[key] for key in sorted(tables)])
    return hashlib.sha256(text.encode()).hexdigest()[:8]
