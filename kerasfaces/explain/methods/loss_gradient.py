"""The gradient of the loss by each pixel (saliency; yu2024).

yu2024 shows the gradient of the binary cross-entropy by the input pixels. As in Simonyan et
al. 2014 (arXiv 1312.6034, section 3.1) a place's saliency is the largest absolute value
over its colours. The label is the detector's own verdict, since a picture from outside has
none; another label scales the whole map and moves nothing in it.

The loss of a sure and right verdict hardly has a gradient: numbers are tiny, and beyond a
logit of about 100 they are zero everywhere, which the page says.

`map`: loss (nats) per grey level, at least 0; it has no sign.
"""

import numpy as np

from kerasfaces.explain.contract import Explanation, Options, Pixels
from kerasfaces.explain.subjects import Subject

UNITS = "loss per grey level"
REDRAWS = 2


def check(subject: Subject) -> None:
    """Refuse what has no gradient by pixel."""
    subject.network_for("loss_gradient")


def explain(subject: Subject, image: Pixels, options: Options) -> list[Explanation]:
    """Return the map of each head; `toward` is the label."""
    network = subject.network_for("loss_gradient")
    gradients = network.loss_gradients(
        image[None].astype(np.float32), options.toward > 0
    )
    return [
        Explanation(map=np.abs(each).max(axis=-1).astype(np.float32))
        for each in gradients
    ]
