"""The generator matrix: ours on cached features against retraining through the base.

Both sides train kabber2023's MobileNetV2 head, 10 epochs at 180 px, on the same training
sets of the built-in sample (each generator, all, all but one) and score the same test
images; random base weights, no augmentation, each side in a process of its own, after its
imports. Ours also writes every run folder with its report, and the matrix's; the plain
recipe (`image_dataset_from_directory`, the frozen base inside the trained graph) writes
nothing.
"""

import dataclasses
import functools
import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import frozen

PAIRS = 644
_TARGET = 20.0


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the row."""
    from kerasfaces import cli, sample

    cli.import_keras()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["KERASFACES_CACHE"] = str(root / "cache")
        manifest = sample.make(root / "sample", pairs=120 if quick else PAIRS)
        weights = frozen._random_weights("mobilenetv2", root)
        ours = functools.partial(_ours, manifest, weights)
        frozen._seconds(functools.partial(ours, root / "cold"))
        cached_s = frozen._seconds(functools.partial(ours, root / "cached"))
        sets = sorted((root / "cold" / "runs").glob("*/seed-0/manifest.csv"))
        folders = [
            _folders(path, root / "plain") for path in sets[: 2 if quick else None]
        ]
        plain_s = frozen._seconds(functools.partial(_plain, folders, weights))
    ratio = plain_s * len(sets) / len(folders) / cached_s
    what = (
        f"{len(sets)} training sets of the mobilenetv2 head, {frozen.EPOCHS} epochs at "
        f"{frozen.SIZE_PX} px, each tested on every generator: plain recipe / ours, cached"
    )
    if quick:
        what += " (the plain side timed on two sets)"
    return [frozen._row("crossgen_cached", [ratio], _TARGET, what)]


def _ours(manifest: Path, weights: Path, folder: Path) -> None:
    """Make the matrix as `kerasfaces crossgen` does."""
    from kerasfaces import manifest as manifests
    from kerasfaces.crossgen.run import Request, crossgen
    from kerasfaces.train import config as configs

    config = dataclasses.replace(
        configs.preset("kabber2023", "mobilenetv2"), views=1, epochs=frozen.EPOCHS
    )
    crossgen(
        Request(
            config=config,
            manifest=manifests.read(manifest),
            weights=str(weights),
            repeat=1,
            at_least=20,
            folder=folder,
        )
    )


def _folders(path: Path, root: Path) -> Path:
    """Return `root/SET/{train,val,test}/{fake,real}` with links to a set's images."""
    from kerasfaces import manifest as manifests

    made = manifests.read(path)
    folder = root / path.parents[1].name
    rows = zip(made.files(), made.rows["split"], made.rows["label"], strict=True)
    for i, (file, split, label) in enumerate(rows):
        target = folder / split / label / f"{i:05d}{file.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(file)
    return folder


def _plain(folders: list[Path], weights: Path) -> None:
    """Train and test one set after the other, as a Keras tutorial does."""
    import keras
    from keras import layers

    shape = (frozen.SIZE_PX, frozen.SIZE_PX, 3)
    for folder in folders:
        train, val, test = (
            keras.utils.image_dataset_from_directory(
                folder / split,
                label_mode="binary",
                image_size=shape[:2],
                batch_size=32,
                shuffle=split == "train",
                seed=0,
                verbose=False,
            )
            for split in ("train", "val", "test")
        )
        base = keras.applications.MobileNetV2(
            input_shape=shape, include_top=False, weights=None
        )
        base.load_weights(weights)
        base.trainable = False
        image = keras.Input(shape)
        x = base(layers.Rescaling(1 / 127.5, offset=-1)(image), training=False)
        x = layers.GlobalAveragePooling2D()(x)
        for width in (256, 128, 64):
            x = layers.Dropout(0.05)(layers.Dense(width, activation="relu")(x))
        net = keras.Model(image, layers.Dense(1)(x))
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        net.compile("adam", loss, metrics=["accuracy"])
        epochs = frozen.EPOCHS
        net.fit(
            train.prefetch(2), validation_data=val.prefetch(2), epochs=epochs, verbose=0
        )
        net.predict(test.prefetch(2), verbose=0)
