"""Last blocks of the base trained end to end on pairs alone; no generator's image is seen.

So one training serves every family of a split, and no family is left out of anything else.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import kerasfaces as kf
from experiments.framework.runner import Context
from experiments.unseen import heads, pairs
from experiments.unseen.configurations import RATIO, Variant
from experiments.unseen.heads import Heads
from kerasfaces.core import arrays
from kerasfaces.manifest import Manifest
from kerasfaces.manifest.table import absolute, families

LABEL = "tuned"


def tune(
    context: Context,
    variant: Variant,
    split: Manifest,
    generated: Manifest,
    seed: int,
    file: Path,
) -> Heads:
    """Train on a split's photos and their pairs; keep what it says of all its images.

    Args:
        context: Where the training's folder is, and the weights.
        variant: How to train.
        split: All images with their splits; families as they are to be told apart.
        generated: The pairs, of all photos.
        seed: Seed that the split was drawn by; it names the folder of the run.
        file: An `.npz` to write, as `leaving_out.leave_out` does.
    """
    manifest = photos_and_pairs(split, generated)
    run = context.train(LABEL, variant.config, RATIO, seed, manifest=manifest)
    detector = kf.load_run(run)
    rows = split.rows
    values: dict[str, NDArray[Any]] = {}
    for part in ("val", "test"):
        own = rows[rows["split"] == part]
        logits = detector.decision_function(absolute(own["path"], split.folder))
        readable = np.isfinite(logits)
        own, logits = own[readable], logits[readable]
        fake, every = (own["label"] == "fake").to_numpy(), np.array(families(own))
        values |= {f"{part} {name}": logits for name in sorted(set(every[fake]))}
        values |= {
            f"fake of {part}": fake,
            f"sources of {part}": own["source"].to_numpy(str),
            f"families of {part}": every,
        }
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays.write(file, values)
    return heads.from_arrays(values)


def photos_and_pairs(split: Manifest, generated: Manifest) -> Manifest:
    """Return the photos and the pairs made of them, each where its photo is."""
    photos = pairs.absolute_rows(split)
    photos = photos[photos["label"] == "real"]
    places = dict(zip(photos["sha256"], photos["split"], strict=True))
    own = generated.rows.assign(split=generated.rows["original_sha256"].map(places))
    rows = pd.concat([photos, own], ignore_index=True).fillna("")
    # One training for both groupings: there is no generator here to be of a family.
    rows = rows.drop(columns="family", errors="ignore")
    return dataclasses.replace(split, rows=rows)
