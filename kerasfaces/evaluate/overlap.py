"""How many images of a manifest a run has already seen.

A run's training and validation images decided its weights, epoch and threshold: measured
on them, any number is too good.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.run.folder import Run

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest

ORIGINAL = "original_sha256"


def seen(folder: Path, manifest: "Manifest", split: str) -> int:
    """Return how many images of `split` are the run's own train or val; see `mask`.

    Args:
        folder: A run folder; without a manifest of its own, nothing is known to be seen.
        manifest: Any manifest, each row with a split.
        split: Whose rows are measured.
    """
    chosen = manifest.rows["split"] == split
    rows = manifest.rows[chosen].reset_index(drop=True)
    return int(mask(folder, dataclasses.replace(manifest, rows=rows)).sum())


def mask(folder: Path, manifest: "Manifest") -> NDArray[np.bool_]:
    """Return per row whether the run was trained or validated on that image, `(n,)`.

    Images are the same if their files are, or if `original_sha256` (which `Manifest.neutralise`
    writes) says that one was made from the other.
    """
    run = Run(folder)
    if not run.manifest_file.exists():
        return np.zeros(len(manifest.rows), dtype=bool)
    own = run.manifest
    used = own.rows["split"].isin(["train", "val"])
    own = dataclasses.replace(own, rows=own.rows[used].reset_index(drop=True))
    known = set().union(*_keys(own)) - {""}
    return np.array([bool(known & set(keys)) for keys in _keys(manifest)], dtype=bool)


def _keys(manifest: "Manifest") -> list[tuple[str, ...]]:
    """Return each image's hashes: its own, and that of the image it was made from."""
    from kerasfaces.dataset import hashes

    rows = manifest.rows
    stated: list[str] = []
    if "sha256" in rows.columns:
        stated = [str(value) for value in rows["sha256"]]
    keys = hashes.keys_of(manifest.files(), stated)[0]
    if ORIGINAL not in rows.columns:
        return [(key,) for key in keys]
    return [(key, str(value)) for key, value in zip(keys, rows[ORIGINAL], strict=True)]
