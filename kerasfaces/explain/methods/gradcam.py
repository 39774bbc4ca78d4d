"""Gradient times feature map, over all layers that feed the head (Grad-CAM).

Selvaraju et al. 2017 (arXiv 1610.02391): the maps of one layer, weighted by the gradient
of the class score averaged over positions, summed over maps, through a ReLU, enlarged.
Three things differ here:

- Several layers, at several scales, feed our heads. The sum runs over the maps of all
  of them, and the ReLU comes after it, as theirs does: layers cancel each other.
- The gradient is not averaged over positions (as in HiResCAM, Draelos and Carin 2020,
  arXiv 2011.08891). Behind a mean both are the same; behind a standard deviation the
  average is exactly 0, and half of our features would be invisible.
- What the average training image has (the head's standardisation knows it) is taken
  off each layer evenly, so it moves no position against another. For a linear head the
  signed map then sums to the logit minus that of the average features (to first order
  for others). This offset is ours.

`map`: logit per pixel. Positive speaks for fake. By the paper's ReLU only what speaks
for the verdict is kept (for real, that is the negative part); `signed` keeps both.
`parts`: each layer's signed share, logit per position. Resolution is that of the
layers: at best a sixteenth to a quarter of the image's side.
"""

import keras
import numpy as np

from kerasfaces.explain.contract import Explanation, Options, Pixels
from kerasfaces.explain.subjects import Subject
from kerasfaces.explain.tap_maps import enlarged, require_maps

UNITS = "logit per pixel"
REDRAWS = 4


def check(subject: Subject) -> None:
    """Refuse what has no maps that lie on the image: tokens, patches or a spectrum."""
    require_maps(subject, "gradcam")


def explain(subject: Subject, image: Pixels, options: Options) -> list[Explanation]:
    """Return the map of each head; `signed` and `toward` matter."""
    network = subject.network_for("gradcam")
    at_taps = network.at_taps(image)
    ends = np.cumsum([each.output.shape[-1] for each in network.poolings])[:-1]
    explanations = []
    for head, by_map, by_feature in zip(
        network.heads, at_taps.by_map, at_taps.by_feature, strict=True
    ):
        average = np.zeros_like(at_taps.features)
        for layer in head.layers:
            if layer.name == "standardize":
                average = keras.ops.convert_to_numpy(layer.mean).reshape(-1)
        of_average = np.split(by_feature.astype(np.float64) * average, ends)
        parts = {}
        for name, map_, slope, offset in zip(
            network.tap_names, at_taps.maps, by_map, of_average, strict=True
        ):
            cells = (map_ * slope).sum(axis=-1, dtype=np.float64)
            parts[name] = (cells - offset.sum() / cells.size).astype(np.float32)
        total = np.sum([enlarged(part, image.shape[0]) for part in parts.values()], 0)
        if not options.signed:
            total = options.toward * np.maximum(options.toward * total, 0.0)
        explanations.append(Explanation(map=total.astype(np.float32), parts=parts))
    return explanations
