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
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.explain.contract import Map, Pixels, blurred, patches

STEPS = 6  # of a deletion curve
ORDERS = 5  # random ones
ALIKE = 0.5  # correlation from which a map hardly depends on what was learnt


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
    found: Map,
    toward: int,
    seed: int = 0,
) -> Deletion:
    """Measure what blurring a map's most important patches does.

    Args:
        logits: `(n, s, s, 3)` uint8 -> `(n, heads)`; the first head counts.
        image: `(s, s, 3)` uint8.
        found: `(s, s)`, positive speaks for fake.
        toward: +1: patches that speak for fake go first; -1: those for real.
        seed: Of the random orders, and of the order of equal patches.
    """
    places = patches(image.shape[0])
    weight = np.array([toward * found[place].sum(dtype=np.float64) for place in places])
    random = rng.generator(seed, "deletion", len(places))
    draws = [random.permutation(len(places)) for _ in range(ORDERS + 1)]
    # Equal weights (zeros behind a ReLU) go in random order, not row by row.
    order = draws[0][np.argsort(-weight[draws[0]], kind="stable")]
    smooth = blurred(image)
    wanted = [image, smooth]
    for each in (order, *draws[1:]):
        changed = image.copy()
        last = 0
        for step in range(1, STEPS):
            until = round(step * len(places) / STEPS)
            for number in each[last:until]:
                changed[places[number]] = smooth[places[number]]
            last = until
            wanted.append(changed.copy())
    values = toward * logits(np.stack(wanted))[:, 0]
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


def sanity(found: Map, redrawn: Sequence[Map]) -> float | None:
    """Return the mean absolute rank correlation with maps of re-drawn heads.

    None where there is none to compare with, or a map has one value everywhere. A noise
    head's sign means nothing, hence absolute; rank correlation (Spearman), as in the paper.
    """
    from scipy.stats import rankdata

    every = [found, *redrawn]
    if not redrawn or any(np.ptp(each) == 0 for each in every):
        return None
    ranks = [rankdata(each.ravel()) for each in every]
    return float(
        np.mean([abs(np.corrcoef(ranks[0], each)[0, 1]) for each in ranks[1:]])
    )
