"""Rows of explanations.csv -> what they say together."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from kerasfaces.core import rng
from kerasfaces.explain import checks
from kerasfaces.metrics.intervals import percentiles
from kerasfaces.report import markup
from kerasfaces.report.markup import number, tag

_RESAMPLES = 1000


def warnings(frame: pd.DataFrame) -> list[str]:
    """Return what a reader must know first, a sentence each."""
    found = []
    bad = int((frame["reason"] != "").sum())
    if bad:
        found.append(f"{bad:,} of {len(frame):,} images could not be explained.")
    if "deletion_gain" not in frame:
        return [
            *found,
            "Whether these maps can be believed was not measured.",
        ]
    good = frame[frame["reason"] == ""]
    mean, low, high = mean_interval(good["deletion_gain"])
    if low <= 0:
        told = "worse than" if high < 0 else "not shown to be better than"
        found.append(
            f"These maps are {told} chance: deletion gain {mean:.2f} "
            f"logits ({low:.2f} to {high:.2f}, n {len(good)})."
        )
    flagged = int(sum(map(is_flagged, good["sanity_correlation"])))
    if flagged:
        found.append(
            f"{flagged} of {len(good)} maps hardly depend on what was learnt: their rank "
            f"correlation with maps of random heads is {checks.ALIKE:g} or more."
        )
    return found


def mean_interval(values: pd.Series) -> tuple[float, float, float]:
    """Return a mean with its 95 % bootstrap interval over images; NaN where there is none."""
    known = pd.to_numeric(values).dropna().to_numpy(dtype=np.float64)
    if len(known) < 2:
        return float(known.mean()) if len(known) else np.nan, np.nan, np.nan
    at = rng.generator(0, "explain", "mean").integers(
        0, len(known), (_RESAMPLES, len(known))
    )
    low, high = percentiles(known[at].mean(axis=1), float(known.mean()))
    return float(known.mean()), low, high


def cells(part: pd.DataFrame) -> list[object]:
    """Return a table's cells about some rows: n, gain, spread, beaten, sanity, flagged."""
    good = part[part["reason"] == ""]
    beaten = int((good["random_orders_beaten"] == checks.ORDERS).sum())
    flagged = int(sum(map(is_flagged, good["sanity_correlation"])))
    return [
        f"{len(good):,}",
        _estimate(good["deletion_gain"]),
        number(float(good["deletion_spread"].mean()), 2),
        f"{beaten:,} of {len(good):,}",
        _estimate(good["sanity_correlation"]),
        f"{flagged:,}",
    ]


def _estimate(values: pd.Series) -> Markup:
    mean, low, high = mean_interval(values)
    return tag(
        "span", number(mean, 2), " ", tag("small", markup.interval(low, high, 2))
    )


def is_flagged(value: float | None) -> bool:
    """Tell whether a map hardly depends on what was learnt."""
    return value is not None and value >= checks.ALIKE
