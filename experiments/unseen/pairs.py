"""Photos of the manifest and fakes made of them: no generator's image is needed."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.framework.runner import Context
from kerasfaces.core import rng
from kerasfaces.core.errors import MissingFileError
from kerasfaces.generate import config as configs
from kerasfaces.generate.pairs import generate
from kerasfaces.manifest import Manifest
from kerasfaces.manifest.table import absolute

PER_SOURCE, PER_SOURCE_QUICK = 100, 4
SIZE_PX = 256
# folder -> kind and its settings; those whose weights are not here are left out, and a note says so
KINDS = {
    "taef2": ("autoencoder", {"network": "taef2"}),
    "autoencoder": ("autoencoder", {}),
    "upsample": ("upsample", {}),
}
QUICK = ("upsample",)


def generated(context: Context) -> tuple[Manifest, list[str]]:
    """Make a pair of some photos of each source by every kind of `KINDS`, once.

    Which splits they belong to follows from their photos; see `joined`.

    Returns:
        The pairs, and a sentence for each kind whose weights are missing.
    """
    every, notes = [], []
    photos = _photos(context.unsplit(), context.quick)
    for name, (kind, options) in KINDS.items():
        if context.quick and name not in QUICK:
            continue
        config = configs.from_names(kind, {"size_px": SIZE_PX, **options})
        folder = context.folder / "pairs" / name
        try:
            every.append(
                absolute_rows(generate(photos, folder, config, context.engine))
            )
        except MissingFileError as error:
            notes.append(f"No pairs by {name}: {error}")
    rows = pd.concat(every, ignore_index=True).fillna("")
    return Manifest(rows, Path(context.folder).absolute()), notes


def joined(split: Manifest, pairs: Manifest) -> Manifest:
    """Return the split rows and the pairs of its training photos, as training rows."""
    images = absolute_rows(split)
    training = set(images.loc[images["split"] == "train", "sha256"])
    own = pairs.rows[pairs.rows["original_sha256"].isin(training)].assign(split="train")
    rows = pd.concat([images, own], ignore_index=True).fillna("")
    return dataclasses.replace(split, rows=rows)


def absolute_rows(manifest: Manifest) -> pd.DataFrame:
    """Return the rows with paths that hold anywhere."""
    rows = manifest.rows
    return rows.assign(path=absolute(rows["path"], manifest.folder))


def _photos(manifest: Manifest, quick: bool) -> Manifest:
    rows = manifest.rows
    count = PER_SOURCE_QUICK if quick else PER_SOURCE
    chosen = np.zeros(len(rows), bool)
    for source, own in rows[rows["label"] == "real"].groupby("source"):
        order = rng.generator(0, "unseen pairs", str(source)).permutation(len(own))
        chosen[own.index[order[:count]]] = True
    return manifest.take(chosen.tolist())
