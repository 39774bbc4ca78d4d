"""Can a map be believed? Two checks of each, in a few dozen forward passes.

Deletion (RISE, Petsiuk et al. 2018, arXiv 1806.07421, section 4.2): patches become
blurred in the order of their importance, and the logit is watched. A map that knows what
counts changes it sooner than patches in random order do.

Sanity (Adebayo et al. 2018, arXiv 1810.03292): the map of the same network with a head
whose weights are noise. A map that stays the same shows the image (its edges), not what
was learnt.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.explain.contract import Map, Pixels, blurred, patches
from kerasfaces.metrics.intervals import percentiles

STEPS = 6  # of a deletion curve
ORDERS = 5  # random ones
ALIKE = 0.5  # correlation from which a map hardly depends on what was learnt
_RESAMPLES = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deletion:
    """A map's deletion curve against random ones.

    Attributes:
        gain: Mean over the curve of how much lower it is than the random curves' mean;
            logits towards the other verdict. Above 0: better than chance.
        spread: Standard deviation of that area among random orders, logits.
        beaten: Random orders whose area is smaller than the map's.
        curve: `(STEPS + 1,)`, logit towards the verdict, by share of patches blurred.
        random: The mean of the random curves, likewise.
    """

    gain: float
    spread: float
    beaten: int
    curve: list[float]
    random: list[float]


def deletion(
    logits: Callable[[Pixels], NDArray[np.float64]],
    image: Pixels,
    map_: Map,
    toward: int,
    seed: int = 0,
) -> Deletion:
    """Measure what blurring a map's most important patches does.

    Args:
        logits: Images -> `(n, heads)`; the first head counts.
        image: `(s, s, 3)`.
        map_: `(s, s)`, positive speaks for fake.
        toward: +1: patches that speak for fake go first; -1: those for real.
        seed: Key of the random orders, and of the order of equal patches.
    """
    places = patches(image.shape[0])
    weight = np.array([toward * map_[place].sum(dtype=np.float64) for place in places])
    random = rng.generator(seed, "deletion", len(places))
    draws = [random.permutation(len(places)) for _ in range(ORDERS + 1)]
    # Equal weights (zeros behind a ReLU) go in random order, not row by row.
    order = draws[0][np.argsort(-weight[draws[0]], kind="stable")]
    smooth = blurred(image)
    copies = [image, smooth]
    ends = [round(step * len(places) / STEPS) for step in range(STEPS)]
    for each in (order, *draws[1:]):
        changed = image.copy()
        for part in np.split(each, ends)[1:-1]:
            for number in part:
                changed[places[number]] = smooth[places[number]]
            copies.append(changed.copy())
    values = toward * logits(np.stack(copies))[:, 0]
    inner = values[2:].reshape(ORDERS + 1, STEPS - 1)
    edges = np.ones((ORDERS + 1, 1))
    curves = np.hstack([values[0] * edges, inner, values[1] * edges])
    areas = (curves[:, 1:] + curves[:, :-1]).mean(axis=1) / 2
    return Deletion(
        gain=float(areas[1:].mean() - areas[0]),
        spread=float(areas[1:].std(ddof=1)),
        beaten=int((areas[1:] > areas[0]).sum()),
        curve=curves[0].tolist(),
        random=curves[1:].mean(axis=0).tolist(),
    )


def sanity(map_: Map, redrawn: Sequence[Map]) -> float | None:
    """Return the mean absolute rank correlation with maps of re-drawn heads.

    None where there is none to compare with, or a map has one value everywhere. A noise
    head's sign means nothing, hence absolute; rank correlation (Spearman), as in the paper.
    """
    from scipy.stats import rankdata

    if not redrawn or any(np.ptp(each) == 0 for each in (map_, *redrawn)):
        return None
    own, *others = (rankdata(each.ravel()) for each in (map_, *redrawn))
    return float(np.mean([abs(np.corrcoef(own, each)[0, 1]) for each in others]))


def is_flagged(correlation: float | None) -> bool:
    """Tell whether a map hardly depends on what was learnt."""
    return correlation is not None and correlation >= ALIKE


def mean_interval(values: pd.Series) -> tuple[float, float, float]:
    """Return a mean with its 95 % bootstrap interval over images; NaN where there is none."""
    known = pd.to_numeric(values).dropna().to_numpy(dtype=np.float64)
    if len(known) < 2:
        return float(known.mean()) if len(known) else np.nan, np.nan, np.nan
    random = rng.generator(0, "explain", "mean")
    resampled = known[random.integers(0, len(known), (_RESAMPLES, len(known)))]
    low, high = percentiles(resampled.mean(axis=1), float(known.mean()))
    return float(known.mean()), low, high


def warnings(frame: pd.DataFrame) -> list[str]:
    """Return what a reader of explanations.csv must know first, a sentence each."""
    sentences = []
    good = frame[frame["reason"] == ""]
    if len(good) < len(frame):
        n_bad = len(frame) - len(good)
        sentences.append(f"{n_bad:,} of {len(frame):,} images could not be explained.")
    if "deletion_gain" not in frame:
        return [*sentences, "Whether these maps can be believed was not measured."]
    mean, low, high = mean_interval(good["deletion_gain"])
    if low <= 0:
        verdict = "worse than" if high < 0 else "not shown to be better than"
        sentences.append(
            f"These maps are {verdict} chance: deletion gain {mean:.2f} "
            f"logits ({low:.2f} to {high:.2f}, n {len(good)})."
        )
    flagged = sum(map(is_flagged, good["sanity_correlation"]))
    if flagged:
        sentences.append(
            f"{flagged} of {len(good)} maps hardly depend on what was learnt: their rank "
            f"correlation with maps of random heads is {ALIKE:g} or more."
        )
    return sentences
