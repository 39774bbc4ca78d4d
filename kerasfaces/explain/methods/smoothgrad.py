"""The loss gradient, averaged over noisy copies (SmoothGrad; yu2024 smoothed).

Smilkov et al. 2017 (arXiv 1706.03825), equation 1: the mean of the gradients at copies with
Gaussian noise, here 24 copies of deviation .1 of the image's range (the paper recommends
.1 to .2, and 50 copies). Then as in `loss_gradient`. Noise is also what a detector of fine
traces may take for a trace: what is averaged is its gradient near the image, not at it. The
fact `noisy_logit`, the mean logit of four copies, says how near.

`map`: loss (nats) per grey level, at least 0; it has no sign.
"""

import numpy as np

from kerasfaces.core import rng
from kerasfaces.explain.contract import Explanation, Options, Pixels
from kerasfaces.explain.subjects import Subject

UNITS = "loss per grey level"
FACTS = ("noisy_logit",)
REDRAWS = 1  # each costs a backward pass per copy
COPIES = 24
_AT_ONCE = 4
_DEVIATION = 0.1  # of the image's range


def check(subject: Subject) -> None:
    """Refuse what has no gradient by pixel."""
    subject.network_for("smoothgrad")


def explain(subject: Subject, image: Pixels, options: Options) -> list[Explanation]:
    """Return the map of each head; `toward` is the label, `seed` the noise's."""
    network = subject.network_for("smoothgrad")
    random = rng.generator(options.seed, "smoothgrad")
    deviation = _DEVIATION * float(np.ptp(image))
    total = np.zeros((subject.n_heads, *image.shape))
    noisy = np.zeros(subject.n_heads)
    for _ in range(COPIES // _AT_ONCE):
        noise = random.normal(0.0, deviation, (_AT_ONCE, *image.shape))
        copies = np.clip(image + noise, 0, 255).astype(np.float32)
        total += network.loss_gradients(copies, options.toward > 0)
        noisy += subject.logits(copies.round().astype(np.uint8)).sum(axis=0)
    return [
        Explanation(
            map=np.abs(each / COPIES).max(axis=-1).astype(np.float32),
            facts={"noisy_logit": float(logit / COPIES)},
        )
        for each, logit in zip(total, noisy, strict=True)
    ]
