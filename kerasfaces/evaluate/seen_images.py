"""Which images of a manifest a run has already seen.

A run's training and validation images decided its weights, epoch and threshold: measured
on them, any number is too good.
"""

import dataclasses
from pathlib import Path

import numpy as np

from kerasfaces.manifest import Manifest
from kerasfaces.metrics.inputs import Bools
from kerasfaces.run.folder import Run

_ORIGINAL = "original_sha256"


def mask(folder: Path, manifest: Manifest) -> Bools:
    """Return per row whether the run was trained or validated on that image, `(n,)`.

    Images are the same if their files are, or if `original_sha256` (which `Manifest.neutralise`
    writes) says that one was made from the other. Of a run folder without a manifest of its
    own, nothing is known to be seen.
    """
    run = Run(folder)
    if not run.manifest_file.exists():
        return np.zeros(len(manifest.rows), dtype=bool)
    own = run.manifest
    used = own.rows["split"].isin(["train", "val"])
    own = dataclasses.replace(own, rows=own.rows[used].reset_index(drop=True))
    known = set().union(*_keys(own)) - {""}
    return np.array([bool(known & keys) for keys in _keys(manifest)], dtype=bool)


def _keys(manifest: Manifest) -> list[set[str]]:
    """Return each image's hashes: its own, and that of the image it was made from."""
    from kerasfaces.dataset import file_facts

    rows = manifest.rows
    stated = rows["sha256"].astype(str).tolist() if "sha256" in rows else []
    keys = file_facts.keys_of(manifest.files(), stated)[0]
    originals = rows[_ORIGINAL].astype(str) if _ORIGINAL in rows else keys
    return [set(pair) for pair in zip(keys, originals, strict=True)]
