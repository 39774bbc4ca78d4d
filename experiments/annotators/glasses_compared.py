"""Heads for glasses side by side: gradients, the bridge's strip, a frozen base's features.

All are logistic regressions on the same hand-labelled portraits, their prior's strength
chosen by cross-validation there, and are asked about the same faces, all of them, whether
they are sure or not.
"""

import numpy as np
from numpy.typing import NDArray

from experiments.annotators import glasses_head, measuring
from kerasfaces import images, metrics
from kerasfaces.annotate import columns, eye_region, facts
from kerasfaces.annotate.contract import Floats
from kerasfaces.core.errors import ImageError
from kerasfaces.core.progress import progress
from kerasfaces.manifest import Manifest


def compare(manifest: Manifest) -> list[str]:
    """Train every head on the portraits; return one line per head with its accuracies.

    Args:
        manifest: Faces; those that state `attr_glasses` are asked about. Its folder holds
            the portraits.

    Raises:
        MissingExtraError: The base's weights are not installed.
    """
    portraits, labels = glasses_head.labelled_patches(manifest.folder)
    faces, wearing, n_lost = _stated(manifest)
    lines = [f"{n_lost} faces were left out: none was found, or the eyes are too near."]
    for name in glasses_head.HEADS:
        own, mirrored = glasses_head.both_ways(name, portraits)
        strength, accuracy = glasses_head.best_strength(own, mirrored, labels)
        head = glasses_head.model(strength).fit(
            np.concatenate([own, mirrored]), np.tile(labels, 2)
        )
        right = metrics.rate(
            int((head.predict(glasses_head.numbers(name, faces)) == wearing).sum()),
            len(wearing),
        )
        lines.append(
            f"{name}: {accuracy:.3f} right in cross-validation on {len(labels)} portraits, "
            f"{right.value:.3f} ({right.low:.3f} to {right.high:.3f}) on {len(wearing)} "
            f"others, {int(wearing.sum())} with glasses"
        )
    return lines


def _stated(manifest: Manifest) -> tuple[list[Floats], NDArray[np.bool_], int]:
    """Return the eyes of faces that say whether they wear glasses, and whether they do."""
    data = measuring.labelled(manifest)
    stated = np.array(columns.stated(data.rows, "glasses"), object)
    data = data.take((stated != "").tolist())
    patches, wearing = [], []
    with progress(len(data.rows), "looking at eyes") as add:
        for path, value in zip(data.files(), stated[stated != ""], strict=True):
            add(1)
            try:
                image = np.asarray(images.load(path))
                face = facts.main_face(facts.look(image))
                if face is not None:
                    patches.append(eye_region.patch(image, face))
                    wearing.append(value == "glasses")
            except ImageError:
                continue
    return patches, np.array(wearing, bool), len(data.rows) - len(patches)
