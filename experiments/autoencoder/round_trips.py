"""How well autoencoders restore the portraits held out: PSNR, and the detail they keep."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import fft

from experiments.autoencoder.portraits import Pixels, central
from experiments.lnp_denoiser.comparison import interval

Codec = Callable[[Pixels], Any]
SIDE_PX = 512
_HIGH = 0.75  # of the Nyquist frequency


def compare(
    codecs: Mapping[str, Codec], held_out: Sequence[Path]
) -> list[dict[str, Any]]:
    """Return a row per autoencoder and measure, over one picture a person.

    Args:
        codecs: Name -> pixels to their round trip, both `(h, w, 3)`, 0 to 255.
        held_out: Portraits.

    Returns:
        Rows of results.json, `ours` with a 95 % bootstrap interval of the mean over people:
        `psnr_db`, and `power_high`, the round trip's share of the photo's power above three
        quarters of the Nyquist frequency.
    """
    pictures = [central(path, SIDE_PX) for path in held_out]
    rows = []
    for name, codec in codecs.items():
        restored = [np.clip(np.asarray(codec(each)), 0, 255) for each in pictures]
        pairs = list(zip(restored, pictures, strict=True))
        for metric, measure in (("psnr_db", psnr_db), ("power_high", power_high)):
            values = np.array([measure(*pair) for pair in pairs])
            low, high = interval(values, f"{name} {metric}")
            ours = {"value": float(values.mean()), "low": low, "high": high}
            rows.append(
                {
                    "table": "held-out portraits",
                    "row": name,
                    "metric": metric,
                    "ours": {**ours, "n": len(values)},
                    "published": None,
                    "status": "run",
                }
            )
    return rows


def psnr_db(restored: Any, real: Pixels) -> float:
    """Return the peak signal-to-noise ratio of a round trip."""
    error = np.mean((restored.astype(np.float64) - real) ** 2)
    return float(-10 * np.log10(max(error, 1e-12) / 255**2))


def power_high(restored: Any, real: Pixels) -> float:
    """Return the round trip's power in the highest frequencies over the photo's."""
    return _power(restored) / max(_power(real), 1e-12)


def _power(image: Any) -> float:
    grey = np.asarray(image, np.float64).mean(axis=-1)
    rows, columns = (fft.fftfreq(n)[:, None] for n in grey.shape)
    radius = np.hypot(rows, columns.T) / 0.5
    spectrum = np.abs(fft.fft2(grey)) ** 2
    return float(spectrum[radius > _HIGH].mean())
