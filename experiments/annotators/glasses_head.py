"""Train the heads of `glasses`, `bridge` and `glasses_frozen` on the hand-labelled portraits."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import images
from kerasfaces.annotate import eye_region, facts
from kerasfaces.annotate.annotators import glasses_frozen
from kerasfaces.annotate.annotators.glasses import WEIGHTS
from kerasfaces.annotate.contract import Floats
from kerasfaces.core import arrays
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import Json, sha256, write_json
from kerasfaces.core.progress import progress

LABELS = Path(__file__).with_name("glasses.csv")
_STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)  # of the prior; smaller is stronger
_FOLDS = 5
_BATCH = 32
HEADS = ("histograms", "bridge", "frozen")


def train(root: Path, target: Path = WEIGHTS) -> Json:
    """Write the heads' weights and the note beside them; return the note.

    The strength of the prior is chosen by cross-validation on the portraits themselves; no
    other picture has a part in it.

    Args:
        root: Folder that the paths of `glasses.csv` start from.
        target: The `.npz` to write.

    Raises:
        InputError: Portraits are missing.
    """
    portraits, labels = labelled_patches(root)
    stored: dict[str, NDArray[Any]] = {}
    accuracies: Json = {}
    for name in HEADS:
        own, other = both_ways(name, portraits)
        best, accuracy = best_strength(own, other, labels)
        both, twice = np.concatenate([own, other]), np.concatenate([labels, labels])
        slopes, offset = _fitted(both, twice, best)
        stored[name] = slopes.astype(np.float32)
        stored[f"{name}_offset"] = np.array(offset, np.float32)
        accuracies[name] = {"strength": best, "cross_validated_accuracy": accuracy}
    arrays.write(target, stored)
    note = {
        "file": target.name,
        "sha256": sha256(target),
        "licence": "Apache-2.0",
        "saw": f"{len(labels)} official portraits in the public domain, "
        f"{int(labels.sum())} with glasses, labelled by hand, and their mirror images",
        "labels_sha256": sha256(LABELS),
        "heads": accuracies,
    }
    write_json(target.with_suffix(".json"), note)
    return note


def both_ways(name: str, patches: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return what a head reads of eyes, and of their mirror images."""
    mirrored = [patch[:, ::-1] for patch in patches]
    return numbers(name, patches), numbers(name, mirrored)


def numbers(name: str, patches: Sequence[Floats]) -> Floats:
    """Return what a head reads of eyes, `(n, numbers)`: `histograms`, `bridge` or `frozen`."""
    if name != "frozen":
        measure = getattr(eye_region, name)
        return np.array([np.ravel(measure(patch)) for patch in patches], np.float32)
    batches = range(0, len(patches), _BATCH)
    return np.concatenate(
        [glasses_frozen.features(patches[at : at + _BATCH]) for at in batches]
    )


def labelled_patches(root: Path) -> tuple[list[Floats], NDArray[np.bool_]]:
    """Return the portraits' eyes, `(40, 80)` each, and which of them wear glasses.

    Raises:
        InputError: Portraits are missing.
    """
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    patches, labels, lost = [], [], []
    with progress(len(rows), "reading portraits") as add:
        for row in rows:
            try:
                image = np.asarray(images.load(root / row["path"]))
                face = facts.main_face(facts.look(image))
                if face is None:
                    raise ImageError("no face found")
                patches.append(eye_region.patch(image, face))
                labels.append(row["glasses"] == "glasses")
            except ImageError as error:
                lost.append(f"{row['path']}: {error}")
            add(1)
    if lost:
        raise InputError(
            f"{len(lost)} of the hand-labelled portraits cannot be used (first: {lost[0]}); "
            "give the folder that real/us_house and real/us_officials lie in."
        )
    return patches, np.array(labels, bool)


def best_strength(
    own: Any, mirrored: Any, labels: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the prior's strength and the accuracy that it has in cross-validation."""
    scores = {each: _accuracy(own, mirrored, labels, each) for each in _STRENGTHS}
    best = max(_STRENGTHS, key=lambda each: (scores[each], -each))
    return best, scores[best]


def model(strength: float) -> Any:
    """Return an unfitted logistic regression on standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, max_iter=5000)
    )


def _accuracy(own: Any, other: Any, labels: Any, strength: float) -> float:
    from sklearn.model_selection import StratifiedKFold

    right = 0
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    for train_at, test_at in folds.split(own, labels):
        both = np.concatenate([own[train_at], other[train_at]])
        fitted = model(strength).fit(both, np.tile(labels[train_at], 2))
        right += int((fitted.predict(own[test_at]) == labels[test_at]).sum())
    return right / len(labels)


def _fitted(both: Any, labels: Any, strength: float) -> tuple[Any, float]:
    """Return slopes and offset on the features as they are measured."""
    scaler, regression = model(strength).fit(both, labels)
    slopes = regression.coef_[0] / scaler.scale_
    return slopes, float(regression.intercept_[0] - slopes @ scaler.mean_)
