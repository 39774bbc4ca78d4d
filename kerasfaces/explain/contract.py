"""What a method of `kerasfaces.explain` takes and returns.

A method that draws a heat map of an image is one file with

- `UNITS`: what a map's numbers are, for colour bars; those that begin with `logit` have a
  sign, positive for fake, others show how much counts, not for which verdict;
- `REDRAWS`: how many networks with a re-drawn head it can afford for the sanity check;
- `check(subject)`: raises `InputError` if it cannot explain this detector, naming a
  method that can;
- `explain(subject, image, options)`: an `Explanation` per head of the `Subject` (see
  `subjects`), the learnt head first.

It may have `FACTS`, the keys of its explanations' facts. What draws no heat map is another
kind of file: see `study`.
"""

import dataclasses
import itertools
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Map = NDArray[np.float32]
GRID = 8  # patches a side: of occlusion, and of the deletion check


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How to explain one image.

    Attributes:
        signed: Grad-CAM: show what speaks against the verdict as well.
        baseline: Integrated gradients: where the path starts.
        toward: +1 where the verdict is fake, -1 where it is real.
        seed: Key of what is random.
    """

    signed: bool = False
    baseline: Literal["blurred", "grey"] = "blurred"
    toward: int = 1
    seed: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What decides a map, besides the run and the image.

    Attributes:
        method: File in `kerasfaces/explain/methods`.
        signed: See `Options`.
        baseline: See `Options`.
        checks: Measure whether the maps can be believed.
        seed: Key of re-drawn heads and random orders.
        layer: Layer of the base, of methods that show one; empty is their own choice.
    """

    method: str
    signed: bool = False
    baseline: Literal["blurred", "grey"] = "blurred"
    checks: bool = True
    seed: int = 0
    layer: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """Where a logit comes from.

    Attributes:
        map: `(h, w)` float32, in the method's units; of logits, positive speaks for fake.
        parts: Layer -> `(h, w)` float32 at its own resolution, logit per position.
        facts: What the method measured about itself.
    """

    map: Map
    parts: dict[str, Map] = dataclasses.field(default_factory=dict)
    facts: dict[str, float] = dataclasses.field(default_factory=dict)


def has_sign(units: str) -> bool:
    """Tell whether maps in these units say for which verdict a place speaks."""
    return units.startswith("logit")


def importance(map_: Map, units: str, toward: int) -> Map:
    """Return a map that is larger where more speaks for the verdict."""
    return toward * map_ if has_sign(units) else map_


def patches(size_px: int) -> list[tuple[slice, slice]]:
    """Return the `GRID` x `GRID` patches of a square image, row by row."""
    edges = np.linspace(0, size_px, GRID + 1).round().astype(int).tolist()
    sides = [slice(a, b) for a, b in itertools.pairwise(edges)]
    return [(rows, columns) for rows in sides for columns in sides]


def smooth(map_: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a map as pictures show it: Gaussian, sigma a 64th of the side."""
    from scipy.ndimage import gaussian_filter

    values: NDArray[np.float64] = map_.astype(np.float64)
    return np.asarray(gaussian_filter(values, values.shape[0] / 64, mode="nearest"))


def blurred(image: Pixels) -> Pixels:
    """Return `(s, s, 3)` uint8 without details: Gaussian, sigma a 32nd of the side."""
    from scipy.ndimage import gaussian_filter

    sigma_px = image.shape[0] / 32
    smooth: Map = gaussian_filter(
        image.astype(np.float32), (sigma_px, sigma_px, 0), mode="nearest"
    )
    return smooth.round().astype(np.uint8)
