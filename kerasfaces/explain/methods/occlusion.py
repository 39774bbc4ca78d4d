"""What the logit loses when a patch is hidden (occlusion).

Zeiler and Fergus 2014 (arXiv 1311.2901) slid a grey square over the image. Here each of
8 x 8 patches in turn becomes the mean colour of the patches round it, so that its
brightness stays about what it was and its detail goes. It asks for logits and nothing
else: it works for every detector, those that are no networks included.

`map`: logit per patch, `logit(image) - logit(image without the patch)` all over the
patch; positive speaks for fake. Patches are hidden one at a time: what needs two of them
hidden is not seen, and a hidden patch has edges that no photo has.
"""

import numpy as np

from kerasfaces.explain.contract import Explanation, Options, Pixels, patches
from kerasfaces.explain.subjects import Subject

UNITS = "logit per patch"
REDRAWS = 4


def check(subject: Subject) -> None:
    """Accept every detector."""


def explain(subject: Subject, image: Pixels, options: Options) -> list[Explanation]:
    """Return the map of each head; no option matters."""
    places = patches(image.shape[0])
    hidden = np.stack([image, *(_without(image, place) for place in places)])
    logits = subject.logits(hidden)
    maps = np.zeros((logits.shape[1], *image.shape[:2]), np.float32)
    for number, (rows, columns) in enumerate(places, start=1):
        maps[:, rows, columns] = (logits[0] - logits[number])[:, None, None]
    return [Explanation(map=each) for each in maps]


def _without(image: Pixels, place: tuple[slice, slice]) -> Pixels:
    """Return a copy in which a patch has the mean colour of the ring round it."""
    rows, columns = place
    high, wide = rows.stop - rows.start, columns.stop - columns.start
    ring = np.zeros(image.shape[:2], bool)
    top, left = max(0, rows.start - high), max(0, columns.start - wide)
    ring[top : rows.stop + high, left : columns.stop + wide] = True
    ring[rows, columns] = False
    changed = image.copy()
    changed[rows, columns] = image[ring].mean(axis=0).round().astype(np.uint8)
    return changed
