"""What blurring or revealing a map's most important patches does to the logit.

Deletion and insertion (RISE, Petsiuk et al. 2018, arXiv 1806.07421, section 4.2): patches
become blurred, or sharp again in a blurred image, in the order of their importance, and
the logit is watched. A map that knows what counts changes it sooner than patches in random
order do.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.explain.contract import Map, Pixels, blurred, patches

STEPS = 6  # of a curve
ORDERS = 5  # random ones
Logits = Callable[[Pixels], NDArray[np.float64]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curve:
    """A map's curve against random ones.

    Attributes:
        gain: Mean distance from the random curves' mean, logits towards the other verdict
            for deletion, towards the verdict for insertion. Above 0: better than chance.
        spread: Standard deviation of that area among random orders, logits.
        beaten: Number of random orders that do less than the map's.
        curve: `(STEPS + 1,)`, logit towards the verdict, by share of patches changed.
        random: The mean of the random curves, likewise.
    """

    gain: float
    spread: float
    beaten: int
    curve: list[float]
    random: list[float]


def deletion_and_insertion(
    logits: Logits, image: Pixels, importance: Map, toward: int, seed: int = 0
) -> tuple[Curve, Curve]:
    """Measure what blurring, and what revealing, the most important patches does.

    Args:
        logits: Images -> `(n, heads)`; the first head counts. It is asked once.
        image: `(s, s, 3)`.
        importance: `(s, s)`, larger speaks more for the verdict.
        toward: +1 for the verdict fake, -1 for real.
        seed: Key of the random orders, and of the order of equal patches.
    """
    orders = _orders(importance, seed)
    smooth = blurred(image)
    copies = [image, smooth]
    for start, end in ((image, smooth), (smooth, image)):
        for order in orders:
            copies += _between(start, end, order)
    values = toward * logits(np.stack(copies))[:, 0]
    inner = values[2:].reshape(2, len(orders), STEPS - 1)
    return (
        _curve(values[0], inner[0], values[1], -1),
        _curve(values[1], inner[1], values[0], +1),
    )


def _orders(importance: Map, seed: int) -> list[NDArray[np.int64]]:
    """Return the map's order of patches, then random ones."""
    places = patches(importance.shape[0])
    weight = np.array([importance[place].sum(dtype=np.float64) for place in places])
    random = rng.generator(seed, "deletion", len(places))
    draws = [random.permutation(len(places)) for _ in range(ORDERS + 1)]
    # Equal weights (zeros behind a ReLU) go in random order, not row by row.
    own = draws[0][np.argsort(-weight[draws[0]], kind="stable")]
    return [own, *draws[1:]]


def _between(start: Pixels, end: Pixels, order: NDArray[np.int64]) -> list[Pixels]:
    """Return the copies between two images, more and more patches of `end` in each."""
    places = patches(start.shape[0])
    ends = [round(step * len(places) / STEPS) for step in range(STEPS)]
    changed, copies = start.copy(), []
    for part in np.split(order, ends)[1:-1]:
        for number in part:
            changed[places[number]] = end[places[number]]
        copies.append(changed.copy())
    return copies


def _curve(first: float, inner: NDArray[np.float64], last: float, sign: int) -> Curve:
    """Return the map's curve; `sign` is +1 where higher is better."""
    edges = np.ones((len(inner), 1))
    curves = np.hstack([first * edges, inner, last * edges])
    areas = sign * (curves[:, 1:] + curves[:, :-1]).mean(axis=1) / 2
    return Curve(
        gain=float(areas[0] - areas[1:].mean()),
        spread=float(areas[1:].std(ddof=1)),
        beaten=int((areas[1:] < areas[0]).sum()),
        curve=curves[0].tolist(),
        random=curves[1:].mean(axis=0).tolist(),
    )
