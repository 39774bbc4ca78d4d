"""What a method of `kerasfaces.explain` is given and gives.

A method is one file with

- `UNITS`: `logit per pixel` or `logit per patch`, for colour bars;
- `REDRAWS`: how many networks with a re-drawn head it can afford for the sanity check;
- `check(subject)`: raises `InputError` if it cannot explain this detector, naming a
  method that can;
- `explain(subject, image, options)`: an `Explanation` per head of the subject, the
  learnt head first.
"""

import dataclasses
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from kerasfaces.images import InputSpec
from kerasfaces.images.limits import Limits

if TYPE_CHECKING:
    from kerasfaces.explain.network import Network

Pixels = NDArray[np.uint8]
Map = NDArray[np.float32]
GRID = 8  # patches a side: of occlusion, and of the deletion check


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How to explain one image.

    Attributes:
        signed: Grad-CAM: keep what speaks against the verdict as well.
        baseline: Integrated gradients: where the path starts.
        toward: +1 where the verdict is fake, -1 where it is real.
    """

    signed: bool = False
    baseline: Literal["blurred", "grey"] = "blurred"
    toward: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """Where a logit comes from.

    Attributes:
        map: `(h, w)` float32, in the method's units; positive speaks for fake.
        parts: Layer -> `(h, w)` float32 at its own resolution, logit per position.
        facts: What the method measured about itself.
    """

    map: Map
    parts: dict[str, Map] = dataclasses.field(default_factory=dict)
    facts: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A finished run as something that can be asked.

    Attributes:
        name: Its folder's name.
        kind: Its model, for messages.
        spec: What stands between a file and the pixels.
        n_heads: The learnt head, and those re-drawn.
        logits: `(n, s, s, 3)` uint8 -> `(n, n_heads)` float64.
        network: The network, where it sees pixels; else None.
        limits: What a picture must have to be judged; None where nothing is known.
    """

    name: str
    kind: str
    spec: InputSpec
    n_heads: int
    logits: Callable[[Pixels], NDArray[np.float64]]
    network: "Network | None"
    limits: Limits | None = None


def patches(size_px: int) -> list[tuple[slice, slice]]:
    """Return the `GRID` x `GRID` patches of a square image, row by row."""
    edges = np.linspace(0, size_px, GRID + 1).round().astype(int).tolist()
    sides = [slice(a, b) for a, b in itertools.pairwise(edges)]
    return [(rows, columns) for rows in sides for columns in sides]


def blurred(image: Pixels) -> Pixels:
    """Return an image without its details: Gaussian, sigma a 32nd of the side.

    Args:
        image: `(s, s, 3)` uint8.
    """
    from scipy.ndimage import gaussian_filter

    sigma_px = image.shape[0] / 32
    smooth: NDArray[Any] = gaussian_filter(
        image.astype(np.float32), (sigma_px, sigma_px, 0), mode="nearest"
    )
    return smooth.round().astype(np.uint8)
