"""Training a head on a frozen base: ours against the plain Keras recipe.

Both sides start from the same 600 files and do the same work, 10 epochs on 480 images
with validation on 120, after their imports and TensorFlow's own start: ours decodes each
image once and runs the base once; the plain recipe (`image_dataset_from_directory`, the
frozen base inside the trained graph) does both in every epoch. Both load the same base
weights, random ones: time does not depend on them. No augmentation on either side. Each
side runs in processes of its own.
"""

import functools
import logging
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.framework import inputs, timing

logger = logging.getLogger("kerasfaces.benchmarks")

N_IMAGES = 600
EPOCHS = 10
SIZE_PX = 180
_CACHED_RUNS = 3  # two seconds each: one alone is mostly what else the machine did


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return rows for both bases, cold, and for MobileNetV2 with features cached."""
    from kerasfaces.core.imports import import_keras

    import_keras()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = inputs.folders(root, 60 if quick else N_IMAGES)
        rows = _measure("mobilenetv2", folder, root, 1 if quick else 3, 8.0, 30.0)
        if not quick:
            rows += _measure("resnet50", folder, root, 1, 10.0, None)
    return rows


def _measure(
    model: str, folder: Path, root: Path, pairs: int, cold: float, cached: float | None
) -> list[dict[str, Any]]:
    weights = inputs.random_weights(model, root)
    manifest = inputs.manifest(folder, root)
    ratios: dict[str, list[float]] = {"cold": [], "cached": []}
    for number in range(pairs):
        plain_s = timing.seconds(functools.partial(_plain, model, folder, weights))
        os.environ["KERASFACES_CACHE"] = str(root / f"cache-{model}-{number}")
        times = [
            timing.seconds(
                functools.partial(
                    _ours, model, manifest, weights, root / f"{model}-{number}-{i}"
                )
            )
            for i in range(1 + _CACHED_RUNS)
        ]
        cold_s, cached_s = times[0], statistics.median(times[1:])
        ratios["cold"].append(plain_s / cold_s)
        ratios["cached"].append(plain_s / cached_s)
        logger.info(
            "%s: plain %.1f s, ours %.2f s, cached %.2f s",
            model,
            plain_s,
            cold_s,
            cached_s,
        )
    what = f"{EPOCHS} epochs of the {model} head at {SIZE_PX} px, plain recipe / ours"
    rows = [
        timing.row(
            f"{model}_head_cold", ratios["cold"], cold, f"{what}, nothing cached"
        )
    ]
    if cached is not None:
        rows.append(
            timing.row(
                f"{model}_head_cached", ratios["cached"], cached, f"{what}, cached"
            )
        )
    return rows


def _ours(model: str, manifest: Any, weights: Path, folder: Path) -> None:
    """Train as `kerasfaces train` does, up to the trained whole model."""
    import dataclasses

    from kerasfaces.models import catalogue
    from kerasfaces.train import config as configs
    from kerasfaces.train import data, fit
    from kerasfaces.train.network_builder import NetworkBuilder

    config = dataclasses.replace(
        configs.preset("kabber2023", model), views=1, epochs=EPOCHS, batch_size=32
    )
    plugin = catalogue.load(model)
    base = plugin.find_weights(str(weights))
    ready = NetworkBuilder(config, base)
    images = data.load(manifest, config.input_spec, ready.start)
    fit.train(config, images, base, folder, builder=ready)


def _plain(model: str, folder: Path, weights: Path) -> None:
    """Train as a Keras tutorial does."""
    import keras
    from keras import layers

    train, val = keras.utils.image_dataset_from_directory(
        folder,
        label_mode="binary",
        image_size=(SIZE_PX, SIZE_PX),
        batch_size=32,
        validation_split=0.2,
        subset="both",
        seed=0,
        verbose=False,
    )
    shape = (SIZE_PX, SIZE_PX, 3)
    if model == "mobilenetv2":
        base = keras.applications.MobileNetV2(
            input_shape=shape, include_top=False, weights=None
        )
        prepare, units = layers.Rescaling(1 / 127.5, offset=-1), [256, 128, 64]
    else:
        base = keras.applications.ResNet50(
            input_shape=shape, include_top=False, weights=None
        )
        prepare, units = layers.Rescaling(1.0), [512]
    base.load_weights(weights)
    base.trainable = False
    image = keras.Input(shape)
    x = layers.GlobalAveragePooling2D()(base(prepare(image), training=False))
    for width in units:
        x = layers.Dropout(0.05)(layers.Dense(width, activation="relu")(x))
    net = keras.Model(image, layers.Dense(1)(x))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    net.compile("adam", loss, metrics=["accuracy"])
    net.fit(
        train.prefetch(2), validation_data=val.prefetch(2), epochs=EPOCHS, verbose=0
    )
