"""Data without building it: the built-in sample, or the manifest that is given."""

from __future__ import annotations

import logging
from pathlib import Path

from kerasfaces import manifest as manifests
from kerasfaces import sample
from kerasfaces.api.data import Manifest
from kerasfaces.api.paths import PathLike
from kerasfaces.core.errors import InputError

logger = logging.getLogger(__name__)


def load_sample(
    folder: PathLike | None = None, *, pairs: int = sample.DEFAULT_PAIRS, seed: int = 0
) -> Manifest:
    """Return the built-in simulation of drawn faces, made on the first call.

    Its numbers show that everything works; they say nothing about real photos.

    Args:
        folder: Where it is; by default in the cache folder.
        pairs: Number of simulated photos, and of generated pictures of the same scenes.
        seed: Key of people, cameras and noise.

    Raises:
        InputError: The folder holds something else, or a sample of other arguments.
    """
    from kerasfaces import store

    target = store.cache_root() / "sample" if folder is None else Path(folder)
    manifest = manifests.read(sample.make(target, seed, pairs))
    return Manifest(manifest, "sample", notes=(sample.NOTE,), is_sample=True)


def load_data(path: PathLike | None, root: PathLike | None = None) -> Manifest:
    """Return a manifest.csv to train on, or the built-in sample where there is none.

    Raises:
        InputError: Some rows have no split, a split is missing, or one leaves a class out;
            or there is a `root` of no manifest.
    """
    from kerasfaces.manifest import contradictions, split_problems

    if path is None and root is not None:
        raise InputError(
            "`root` is for the paths of a manifest, and there is none: add `manifest`, or "
            "leave `root` out."
        )
    if path is None:
        return load_sample()
    data = Manifest.from_csv(path, root)
    split_problems.require_trainable(data.manifest.rows, path)
    if sentence := contradictions.sentence(data.manifest.rows):
        logger.warning("%s", sentence)
    return data
