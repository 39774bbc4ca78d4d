"""What goes into the pooling, averaged over its maps (kabber2023's heatmap).

kabber2023 draws a heatmap "using the output of the Global Average Pooling layer" and states
no equation. Here it is the mean over maps of what each position holds above zero, in front
of the pooling, of all layers that feed the head, each divided by its own mean over positions
so that layers of different scales count alike.

No weight of the head takes part: the map says where the base is excited, not what speaks
for fake or real. The check by re-drawn heads therefore finds the very same map every time
(correlation 1) and flags it, rightly.

`map`: activation relative to the mean position, at least 0; it has no sign.
"""

import numpy as np

from kerasfaces.explain.contract import Explanation, Options, Pixels
from kerasfaces.explain.subjects import Subject
from kerasfaces.explain.tap_maps import enlarged, require_maps

UNITS = "activation, times the mean position's"
REDRAWS = 1


def check(subject: Subject) -> None:
    """Refuse what has no maps that lie on the image."""
    require_maps(subject, "pooling_heatmap")


def explain(subject: Subject, image: Pixels, options: Options) -> list[Explanation]:
    """Return the one map, once per head; no option matters."""
    network = subject.network_for("pooling_heatmap")
    total = np.zeros(image.shape[:2])
    maps = network.maps(image)
    for tap in maps:
        cells = np.maximum(tap, 0).mean(axis=-1)
        mean = float(cells.mean())
        if mean > 0:
            sums = enlarged(cells.astype(np.float32), image.shape[0])
            total += sums * (total.size / cells.size) / mean
    map_ = np.maximum(total / len(maps), 0).astype(np.float32)
    return [Explanation(map=map_) for _ in network.heads]
