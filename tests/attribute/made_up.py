"""Made-up features of made-up images: no model, no photo."""

import numpy as np
import pandas as pd

GENERATORS = ("gan", "diffusion", "autoencoder")
WIDTH = 12


def make_rows(counts=(40, 12, 12), generators=GENERATORS, reals=("camera", "phone")):
    """Return a split manifest's rows: `counts` images of each source per split."""
    rows = [
        {
            "path": f"{label}/{source}/{split}{number:03d}.png",
            "label": label,
            "source": source,
            "split": split,
        }
        for label, sources in (("real", reals), ("fake", generators))
        for source in sources
        for split, count in zip(("train", "val", "test"), counts, strict=True)
        for number in range(count)
    ]
    return pd.DataFrame(rows).astype(object)


def make_features(rows, distance=4.0, seed=0):
    """Return `(n, WIDTH)` float32: each generator lies in a direction of its own."""
    random = np.random.default_rng(seed)
    features = random.normal(0, 1, (len(rows), WIDTH))
    names = sorted(set(rows["source"][rows["label"] == "fake"]))
    for index, name in enumerate(names):
        own = ((rows["source"] == name) & (rows["label"] == "fake")).to_numpy()
        features[own, index % WIDTH] += distance
    return features.astype(np.float32)


def make_images(rows, features=None, reasons=None):
    """Return what a detector and a manifest would give."""
    from kerasfaces.attribute.features import ImageFeatures

    reasons = reasons or [""] * len(rows)
    features = make_features(rows) if features is None else features
    readable = np.array([not why for why in reasons])
    return ImageFeatures(rows, reasons, lambda: features[readable])
