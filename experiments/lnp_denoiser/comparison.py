"""The denoiser against median, bilateral and non-local-means filters.

Held-out pairs enter, rows of results leave. Each filter appears twice: with the one
setting that is best over all noise levels, as the network has one set of weights, and
told the level, with the best setting for each, which the network is not. Settings are
searched on the tuning part. All write whole grey levels.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.lnp_denoiser.pictures import LEVELS, Pair
from kerasfaces.core.progress import progress
from kerasfaces.core.rng import generator

Pixels = npt.NDArray[np.uint8]
Filter = Callable[[Pixels], Pixels]
Floats = npt.NDArray[np.float64]
_NLM_H = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 18.0, 27.0)
_SEARCH_PX = 15
_RESAMPLES = 2000
AT_EACH_LEVEL = ", told the level"


def filters() -> dict[str, dict[str, Filter]]:
    """Return, for each kind, its parameter sets by name and what they do."""
    import cv2

    median = {
        f"{side} px": lambda image, side=side: cv2.medianBlur(image, side)
        for side in (3, 5, 7)
    }
    bilateral = {
        f"colour {colour:g}, space {space:g} px": (
            lambda image, colour=colour, space=space: cv2.bilateralFilter(
                image, 0, colour, space
            )
        )
        for colour in (3, 6, 12, 25, 50, 100, 200)
        for space in (0.7, 1.0, 1.5, 2.5, 4.0)
    }
    means: dict[str, Filter] = {}
    for h, template in itertools.product(_NLM_H, (3, 5)):
        means[f"RGB, h {h:g}, template {template} px"] = lambda image, h=h, t=template: (
            cv2.fastNlMeansDenoising(image, None, h, t, _SEARCH_PX)
        )
    for h, ratio in itertools.product(_NLM_H, (1.0, 2.0)):
        means[f"Lab, h {h:g}, colour {h * ratio:g}, template 3 px"] = (
            lambda image, h=h, c=h * ratio: cv2.fastNlMeansDenoisingColored(
                image, None, h, c, 3, _SEARCH_PX
            )
        )
    return {"median": median, "bilateral": bilateral, "non-local means": means}


def compare(
    tune: Sequence[Pair], test: Sequence[Pair], ours: Filter, table: str
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Measure the noisy pictures, every filter and ours.

    Args:
        tune: Pairs on which the filters' parameters are searched.
        test: Pairs for the results; every picture has one at each level, in order.
        ours: The denoiser.
        table: Name of the rows' table.

    Returns:
        Rows, one per method and level and one for all levels, and for each filter, with
        one setting and told the level, by how many dB ours is better over all levels:
        mean, and the lower and upper end of its 95 % interval over pictures.
    """
    levels = np.array([pair.level for pair in test])
    psnrs = {"noisy": psnr(lambda image: image, test), "ours": psnr(ours, test)}
    best_settings: dict[str, list[str]] = {}
    for kind, settings in filters().items():
        one, each = search(settings, tune, kind)
        best_settings[kind] = [one] * len(LEVELS)
        best_settings[f"{kind}{AT_EACH_LEVEL}"] = each
        psnrs[kind] = psnr(settings[one], test)
        by_level = np.empty(len(test))
        for level, name in enumerate(each):
            at = np.flatnonzero(levels == level)
            by_level[at] = psnr(settings[name], [test[i] for i in at])
        psnrs[f"{kind}{AT_EACH_LEVEL}"] = by_level
    rows = []
    for method, values in psnrs.items():
        for level, shot_noise in enumerate(LEVELS):
            mask = levels == level
            parameters = best_settings[method][level] if method in best_settings else ""
            rows.append(
                _row(table, method, f"{shot_noise:g}", values[mask], parameters)
            )
        rows.append(_row(table, method, "all", values, ""))
    gains = {}
    for kind in best_settings:
        gain = (psnrs["ours"] - psnrs[kind]).reshape(-1, len(LEVELS)).mean(axis=1)
        low, high = interval(gain, kind)
        gains[kind] = float(gain.mean())
        gains[f"{kind}: low"], gains[f"{kind}: high"] = low, high
    return rows, gains


def search(
    settings: dict[str, Filter], tune: Sequence[Pair], kind: str
) -> tuple[str, list[str]]:
    """Return the best parameter set over all levels, and the best at each, by name."""
    best: list[tuple[float, str]] = [(-np.inf, "")] * len(LEVELS)
    overall = (-np.inf, "")
    levels = np.array([pair.level for pair in tune])
    with progress(len(settings), f"Searching {kind}", "setting") as advance:
        for name, apply in settings.items():
            values = psnr(apply, tune)
            for level in range(len(LEVELS)):
                mean = float(values[levels == level].mean())
                best[level] = max(best[level], (mean, name))
            overall = max(overall, (float(values.mean()), name))
            advance(1)
    return overall[1], [name for _, name in best]


def psnr(apply: Filter, pairs: Iterable[Pair]) -> Floats:
    """Return (n,) the PSNR in dB of each pair's filtered noisy picture."""
    errors = [
        np.mean((apply(pair.noisy).astype(np.float64) / 255 - pair.clean) ** 2)
        for pair in pairs
    ]
    return -10 * np.log10(np.maximum(errors, 1e-12))


def interval(values: Floats, key: str) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean."""
    rng = generator(0, "denoiser interval", key)
    picked = rng.integers(len(values), size=(_RESAMPLES, len(values)))
    low, high = np.percentile(values[picked].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def _row(
    table: str, method: str, level: str, values: Floats, parameters: str
) -> dict[str, Any]:
    low, high = interval(values, f"{method} {level}")
    return {
        "table": table,
        "row": method,
        "shot_noise": level,
        "metric": "psnr_db",
        "ours": {
            "value": float(values.mean()),
            "low": low,
            "high": high,
            "n": len(values),
        },
        "parameters": parameters,
        "published": None,
        "status": "run",
    }
