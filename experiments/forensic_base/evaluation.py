"""The base, frozen, under a logistic regression: on the sample and on real faces.

Beside it, read in the same way: a random base and, where the file is there, a base with
ImageNet weights. Plain Keras and scikit-learn; the head's strength is chosen on
validation.
"""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from experiments.forensic_base.shipping import NAME
from experiments.forensic_base.training import TAPS
from kerasfaces.core import arrays
from kerasfaces.core.progress import progress
from kerasfaces.core.rng import generator, integer_seed

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
SEEDS = range(5)
Floats = npt.NDArray[np.float64]


def bases(weights: Path, imagenet: Path | None) -> dict[str, Any]:
    """Return the frozen bases by name."""
    import keras

    keras.utils.set_random_seed(integer_seed(0, "random base"))
    build = keras.applications.MobileNetV2
    options = {"include_top": False, "input_shape": (None, None, 3)}
    frozen = {
        "forensic 0.35": build(alpha=0.35, weights=None, **options),
        "random 0.35": build(alpha=0.35, weights=None, **options),
    }
    load(frozen["forensic 0.35"], weights / f"{NAME}.npz")
    if imagenet and imagenet.exists():
        frozen["imagenet 1.0"] = build(alpha=1.0, weights=str(imagenet), **options)
    return frozen


def load(base: Any, file: Path) -> None:
    """Set a base's weights from a shipped file; every array must be used."""
    values = arrays.read(file)
    left = set(values)
    for layer in base.layers:
        for variable in layer.weights:
            key = f"{layer.name}/{variable.name}"
            variable.assign(values[key].astype(np.float32))
            left.discard(key)
    if left:
        raise ValueError(f"{file} holds arrays that the base lacks: {sorted(left)}")


def features(base: Any, files: list[Path], label: str) -> Floats:
    """Return (n, f) means and standard deviations of the tapped layers, native size."""
    import keras

    model = keras.Model(base.input, [base.get_layer(tap).output for tap in TAPS])
    parts = []
    with progress(len(files), label) as advance:
        for at in range(0, len(files), 20):
            images = np.stack([_read(file) for file in files[at : at + 20]])
            maps = [np.asarray(part) for part in model(images, training=False)]
            pooled = [f(part, axis=(1, 2)) for part in maps for f in (np.mean, np.std)]
            parts.append(np.concatenate(pooled, axis=1))
            advance(len(images))
    return np.concatenate(parts).astype(np.float64)


def on_sample(frozen: dict[str, Any], manifest: Path) -> dict[str, Any]:
    """Return the test AUC on the sample, in all and by generator."""
    with manifest.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    split = np.array([row["split"] for row in rows])
    source = np.array([row["source"] for row in rows])
    fake = np.array([row["label"] == "fake" for row in rows])
    results = {}
    for name, base in frozen.items():
        x = features(base, [manifest.parent / row["path"] for row in rows], name)
        score = _best_logits(x, fake, split == "train", split == "val")
        test = split == "test"
        results[name] = {"all": _auc(fake[test], score[test])} | {
            kind: _auc(
                fake[test & (~fake | (source == kind))],
                score[test & (~fake | (source == kind))],
            )
            for kind in sorted(set(source[fake]))
        }
    return results


def on_faces(frozen: dict[str, Any], data: Path) -> dict[str, Any]:
    """Return test AUCs on FFHQ against StyleGAN, split 5:1:1 by five seeds."""
    folder = data / "data" / "faces"
    reals = sorted((folder / "real" / "ffhq").iterdir())
    fakes = sorted((folder / "fake" / "stylegan").iterdir())
    fake = np.array([False] * len(reals) + [True] * len(fakes))
    results = {}
    for name, base in frozen.items():
        x = features(base, [*reals, *fakes], name)
        aucs = []
        for seed in SEEDS:
            split = _split(fake, seed)
            score = _best_logits(x, fake, split == 0, split == 1)
            aucs.append(_auc(fake[split == 2], score[split == 2]))
        results[name] = {
            "mean": float(np.mean(aucs)),
            "sd": float(np.std(aucs, ddof=1)),
            "aucs": aucs,
            "n_test": int((_split(fake, 0) == 2).sum()),
        }
    return results


def _split(fake: npt.NDArray[np.bool_], seed: int) -> npt.NDArray[np.int_]:
    """Return 0 train, 1 validation, 2 test; 5:1:1 within each class."""
    split = np.empty(len(fake), int)
    for label in (False, True):
        rows = np.flatnonzero(fake == label)
        order = generator(seed, "faces split", int(label)).permutation(rows)
        bounds = np.round(np.array([5, 6]) / 7 * len(rows)).astype(int)
        for which, part in enumerate(np.split(order, bounds)):
            split[part] = which
    return split


def _best_logits(
    x: Floats,
    fake: npt.NDArray[np.bool_],
    train: npt.NDArray[np.bool_],
    val: npt.NDArray[np.bool_],
) -> Floats:
    """Return logits of all rows from the regression that is best on validation."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    best = (-1.0, np.zeros(len(x)))
    for strength in STRENGTHS:
        head = LogisticRegression(C=strength, max_iter=2000)
        fitted = make_pipeline(StandardScaler(), head).fit(x[train], fake[train])
        logits = fitted.decision_function(x)
        best = max(best, (_auc(fake[val], logits[val]), logits), key=lambda one: one[0])
    return best[1]


def _auc(fake: npt.NDArray[np.bool_], logits: Floats) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(fake, logits))


def _read(file: Path) -> npt.NDArray[np.float32]:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"), np.float32) / np.float32(127.5) - 1
