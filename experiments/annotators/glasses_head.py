"""Train the heads of `glasses` and `bridge` on the hand-labelled portraits."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import images
from kerasfaces.annotate import eye_region, facts
from kerasfaces.annotate.annotators.glasses import WEIGHTS
from kerasfaces.core import arrays
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import Json, sha256, write_json
from kerasfaces.core.progress import progress

LABELS = Path(__file__).with_name("glasses.csv")
_STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)  # of the prior; smaller is stronger
_FOLDS = 5


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
    seen, labels, lost = _patches(root)
    if lost:
        raise InputError(
            f"{len(lost)} of the hand-labelled portraits cannot be used (first: {lost[0]}); "
            "give the folder that real/us_house and real/us_officials lie in."
        )
    mirrored = [patch[:, ::-1] for patch in seen]
    stored: dict[str, NDArray[Any]] = {}
    accuracies: Json = {}
    for name in ("histograms", "bridge"):
        measure = getattr(eye_region, name)
        own, other = (
            np.array([np.ravel(measure(patch)) for patch in group])
            for group in (seen, mirrored)
        )
        scores = {each: _accuracy(own, other, labels, each) for each in _STRENGTHS}
        best = max(_STRENGTHS, key=lambda each: (scores[each], -each))
        both, twice = np.concatenate([own, other]), np.concatenate([labels, labels])
        slopes, offset = _fitted(both, twice, best)
        stored |= {
            name: slopes.astype(np.float32),
            f"{name}_offset": np.float32(offset),
        }
        accuracies[name] = {"strength": best, "cross_validated_accuracy": scores[best]}
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


def _patches(root: Path) -> tuple[list[Any], NDArray[np.bool_], list[str]]:
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    seen, labels, lost = [], [], []
    with progress(len(rows), "reading portraits") as add:
        for row in rows:
            try:
                image = np.asarray(images.load(root / row["path"]))
                face = facts.main_face(facts.look(image))
                if face is None:
                    raise ImageError("no face found")
                seen.append(eye_region.patch(image, face))
                labels.append(row["glasses"] == "glasses")
            except ImageError as error:
                lost.append(f"{row['path']}: {error}")
            add(1)
    return seen, np.array(labels, bool), lost


def _model(strength: float) -> Any:
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
        model = _model(strength).fit(both, np.tile(labels[train_at], 2))
        right += int((model.predict(own[test_at]) == labels[test_at]).sum())
    return right / len(labels)


def _fitted(both: Any, labels: Any, strength: float) -> tuple[Any, float]:
    """Return slopes and offset on the features as they are measured."""
    model = _model(strength).fit(both, labels)
    scaler, regression = model[0], model[1]
    slopes = regression.coef_[0] / scaler.scale_
    return slopes, float(regression.intercept_[0] - slopes @ scaler.mean_)
