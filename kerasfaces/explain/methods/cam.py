"""Feature maps weighted by a linear head (class activation maps; tian2023).

Zhou et al. 2016 (arXiv 1512.04150), equation 2: where a map's mean goes straight into a
linear unit, the logit is a sum over positions, and the map is each position's share,
`sum_k w_k f_k(x, y) / (h w)`. Several layers may feed the head here; theirs are added.

A standard deviation over a map has no such share. Where the head takes it as well (pooling
`mean_std`), the map is that of the means alone, and `facts` say what it leaves out:
`logit_of_means` (the map's sum), `logit_of_rest` (deviations, what standardisation takes
off, the bias). tian2023 shows one picture per class and states no equation.

`map`: logit per pixel, positive speaks for fake; both signs are shown.
"""

import numpy as np

from kerasfaces.core.errors import InputError
from kerasfaces.explain.contract import Explanation, Options, Pixels
from kerasfaces.explain.subjects import Subject
from kerasfaces.explain.tap_maps import enlarged, require_maps
from kerasfaces.models.layers import MeanStdPooling

UNITS = "logit per pixel"
REDRAWS = 4
FACTS = ("logit_of_means", "logit_of_rest")


def check(subject: Subject) -> None:
    """Refuse what has no mean over a map, or no linear head behind it."""
    network = require_maps(subject, "cam")
    kinds = {type(each).__name__ for each in network.poolings}
    why = ""
    if not network.has_linear_head:
        why = "its head has hidden layers"
    elif not kinds <= {"GlobalAveragePooling2D", MeanStdPooling.__name__}:
        why = f"its maps are pooled by {', '.join(sorted(kinds))}"
    if why:
        raise InputError(
            f"cam cannot explain {subject.name}: {why}, and a class activation map is a "
            "linear head's, behind means. Give `method='gradcam'`."
        )


def explain(subject: Subject, image: Pixels, options: Options) -> list[Explanation]:
    """Return the map of each head; no option matters."""
    network = subject.network_for("cam")
    at_taps = network.at_taps(image)
    logits = network.exact(image[None].astype(np.float32))[0]
    ends = np.cumsum([each.output.shape[-1] for each in network.poolings])[:-1]
    explanations = []
    for by_feature, logit in zip(at_taps.by_feature, logits, strict=True):
        parts = {}
        for name, map_, weights in zip(
            network.tap_names, at_taps.maps, np.split(by_feature, ends), strict=True
        ):
            of_means = weights[: map_.shape[-1]].astype(np.float64)
            cells = map_ @ of_means / (map_.shape[0] * map_.shape[1])
            parts[name] = cells.astype(np.float32)
        total = np.sum([enlarged(part, image.shape[0]) for part in parts.values()], 0)
        facts = {
            "logit_of_means": float(total.sum()),
            "logit_of_rest": float(logit - total.sum()),
        }
        explanations.append(
            Explanation(map=total.astype(np.float32), parts=parts, facts=facts)
        )
    return explanations
