"""Gradients summed along a straight path of pixels (integrated gradients).

Sundararajan et al. 2017 (arXiv 1703.01365), equation 3 by the midpoint rule: along the
path from a baseline image to the image, the gradient of the logit by each pixel's value,
averaged, times the pixel's difference from the baseline, summed over colours.

The baseline is the image's own blurred self: what is explained is the difference that
fine detail makes, which is where generators leave traces. `grey` is mid-grey (127.5).

`map`: logit per pixel, positive speaks for fake. By the paper's completeness axiom the
map sums to logit(image) - logit(baseline); the steps make an error, which `facts` state:
`baseline_logit`, `completeness_error` (sum minus that difference, logits).
"""

import numpy as np

from kerasfaces.explain.contract import Explanation, Options, Pixels, blurred
from kerasfaces.explain.subjects import Subject

UNITS = "logit per pixel"
REDRAWS = 1  # each costs a backward pass per step
FACTS = ("baseline_logit", "completeness_error")
STEPS = 32
_GREY = 127.5


def check(subject: Subject) -> None:
    """Refuse what has no gradient by pixel."""
    subject.network_for("integrated_gradients")


def explain(subject: Subject, image: Pixels, options: Options) -> list[Explanation]:
    """Return the map of each head; `baseline` matters."""
    network = subject.network_for("integrated_gradients")
    end = image.astype(np.float32)
    start = np.full_like(end, _GREY)
    if options.baseline == "blurred":
        start = blurred(image).astype(np.float32)
    difference = end - start
    total = np.zeros((subject.n_heads, *image.shape))
    for part in np.split((np.arange(STEPS, dtype=np.float32) + 0.5) / STEPS, 4):
        total += network.gradients_by_pixel(
            start + part[:, None, None, None] * difference
        )
    maps = (total / STEPS * difference).sum(axis=-1)
    ends = network.exact(np.stack([start, end]))
    return [
        Explanation(
            map=each.astype(np.float32),
            facts={
                "baseline_logit": float(low),
                "completeness_error": float(each.sum() - (high - low)),
            },
        )
        for each, low, high in zip(maps, *ends, strict=True)
    ]
