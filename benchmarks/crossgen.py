"""The generator matrix: ours on cached features against retraining through the base.

Both sides train the default frozen MobileNetV2 (256 px, two sizes, four layers), 10 epochs,
on training sets of the built-in sample (each generator, all, all but one) and score the
same test images; random base weights, no augmentation, each side in a process of its own,
after its imports. Ours also writes every run folder with its report, and the matrix's. The
plain recipe (`image_dataset_from_directory`, the frozen base inside the trained graph) writes
nothing; its time is that of three of the equally large sets times a third of their number.
"""

import dataclasses
import functools
import logging
import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.framework import inputs, timing

logger = logging.getLogger("kerasfaces.benchmarks")
PAIRS = 644
EPOCHS = 10
_TARGET = 20.0
_TIMED = 3  # training sets


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the row."""
    from kerasfaces import sample
    from kerasfaces.core.imports import import_keras

    import_keras()
    epochs = 1 if quick else EPOCHS
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["KERASFACES_CACHE"] = str(root / "cache")
        manifest = sample.make(root / "sample", pairs=120 if quick else PAIRS)
        weights = inputs.random_weights("mobilenetv2", root)
        ours = functools.partial(_ours, manifest, weights, epochs)
        timing.seconds(functools.partial(ours, root / "cold"))
        cached_s = timing.seconds(functools.partial(ours, root / "cached"))
        sets = sorted((root / "cold" / "runs").glob("*/seed-0/manifest.csv"))
        timed = sets[: 1 if quick else _TIMED]
        folders = [linked_folders(path, root / "plain") for path in timed]
        plain_s = timing.seconds(
            functools.partial(train_plainly, folders, weights, epochs)
        )
    logger.info(
        "plain %.1f s for %d of %d sets, ours %.1f s with everything cached",
        plain_s,
        len(folders),
        len(sets),
        cached_s,
    )
    ratio = plain_s * len(sets) / len(folders) / cached_s
    what = (
        f"{len(sets)} training sets of the default mobilenetv2 head, {epochs} epochs, each "
        f"tested on every generator: plain recipe (timed on {len(timed)} sets) / ours, cached"
    )
    return [timing.row("crossgen_cached", [ratio], _TARGET, what)]


def default_config(epochs: int) -> Any:
    """Return the default frozen MobileNetV2, trained for so many epochs."""
    from kerasfaces.train import config as configs

    return dataclasses.replace(
        configs.default("mobilenetv2"), epochs=epochs, patience=None
    )


def _ours(manifest: Path, weights: Path, epochs: int, folder: Path) -> None:
    """Make the matrix as `kerasfaces crossgen` does."""
    from kerasfaces import manifest as manifests
    from kerasfaces.crossgen.plan import MatrixSettings
    from kerasfaces.crossgen.run import crossgen

    crossgen(
        MatrixSettings(
            config=default_config(epochs),
            manifest=manifests.read(manifest),
            weights=str(weights),
            repeat=1,
            at_least=20,
            folder=folder,
        )
    )


def linked_folders(path: Path, root: Path) -> Path:
    """Return `root/SET/{train,val,test}/{fake,real}` with links to a set's images."""
    from kerasfaces import manifest as manifests

    manifest = manifests.read(path)
    folder = root / path.parents[1].name
    rows = manifest.rows
    files = zip(manifest.files(), rows["split"], rows["label"], strict=True)
    for i, (file, split, label) in enumerate(files):
        target = folder / split / label / f"{i:05d}{file.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(file)
    return folder


def train_plainly(folders: list[Path], weights: Path, epochs: int) -> None:
    """Train and test one set after the other, the base in the trained graph."""
    import keras

    from kerasfaces.models import catalogue, network

    config = default_config(epochs)
    plugin = catalogue.load(config.model.name)
    base = plugin.find_weights(str(weights))
    architecture = plugin.completed(config.model, base)
    for folder in folders:
        train, val, test = (
            keras.utils.image_dataset_from_directory(
                folder / split,
                label_mode="binary",
                image_size=(architecture.size_px, architecture.size_px),
                batch_size=config.batch_size,
                shuffle=split == "train",
                seed=0,
                verbose=False,
            ).prefetch(2)
            for split in ("train", "val", "test")
        )
        net = plugin.build(architecture, base, 0)
        network.freeze(net)
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        net.compile("adam", loss, metrics=["accuracy"], jit_compile=False)
        net.fit(train, validation_data=val, epochs=config.epochs, verbose=0)
        net.predict(test, verbose=0)
