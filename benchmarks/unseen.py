"""A leave-one-family-out study: ours on cached features against retraining through the base.

Both sides train the default frozen MobileNetV2 (256 px, two sizes, four layers), 5 epochs,
on the built-in sample: every candidate of the protocol's grid (layers and penalty of the
head) without each of the four families; random base weights, one view, each side in a
process of its own, after its imports. Ours is the whole command: it also trains the chosen
detector, judges the test images and writes the run folder with its report. The plain recipe
(`crossgen.train_plainly`) writes nothing; its time is that of one of the trainings times
their number.
"""

import dataclasses
import functools
import logging
import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.crossgen import default_config, linked_folders, train_plainly
from benchmarks.framework import inputs, timing

logger = logging.getLogger("kerasfaces.benchmarks")
PAIRS = 240
EPOCHS = 5
_TARGET = 20.0
_TIMED = 1  # training


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the row."""
    from kerasfaces import sample
    from kerasfaces.core.imports import import_keras
    from kerasfaces.train import protocol

    import_keras()
    epochs = 1 if quick else EPOCHS
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["KERASFACES_CACHE"] = str(root / "cache")
        manifest = sample.make(root / "sample", pairs=180 if quick else PAIRS)
        weights = inputs.random_weights("mobilenetv2", root)
        ours = functools.partial(_ours, manifest, weights, epochs)
        timing.seconds(functools.partial(ours, root / "cold"))
        cached_s = timing.seconds(functools.partial(ours, root / "cached"))
        sets = _left_out(manifest, root / "sets")
        timed = sets[: 1 if quick else _TIMED]
        folders = [linked_folders(path, root / "plain") for path in timed]
        plain = functools.partial(train_plainly, folders, weights, epochs)
        plain_s = timing.seconds(plain)
        count = len(sets) * len(protocol.candidates(default_config(epochs)))
    logger.info(
        "plain %.1f s for %d of %d trainings, ours %.1f s with everything cached",
        plain_s,
        len(folders),
        count,
        cached_s,
    )
    ratio = plain_s * count / len(folders) / cached_s
    what = (
        f"{count} trainings of the default mobilenetv2 head without one of {len(sets)} families, "
        f"{epochs} epochs: plain recipe (timed on {len(timed)} of them) / ours, cached, with the "
        "chosen detector's run folder"
    )
    return [timing.row("unseen_cached", [ratio], _TARGET, what)]


def _ours(manifest: Path, weights: Path, epochs: int, folder: Path) -> None:
    """Train as `kerasfaces train --protocol unseen` does, without laundered views."""
    from kerasfaces import manifest as manifests
    from kerasfaces.train.run import train
    from kerasfaces.train.training import Training

    config = dataclasses.replace(default_config(epochs), protocol="unseen")
    data = manifests.read(manifest)
    train(Training(config=config, manifest=data, weights=str(weights), folder=folder))


def _left_out(manifest: Path, root: Path) -> list[Path]:
    """Write a manifest without each family's training and validation fakes."""
    from kerasfaces import manifest as manifests

    whole = manifests.read(manifest)
    fakes = whole.rows["source"][whole.rows["label"] == "fake"]
    paths = []
    for family in sorted(set(fakes)):
        seen = (whole.rows["source"] != family) | (whole.rows["split"] == "test")
        path = root / family / "seed-0" / "manifest.csv"
        path.parent.mkdir(parents=True)
        manifests.write(whole.take(seen), path)
        paths.append(path)
    return paths
