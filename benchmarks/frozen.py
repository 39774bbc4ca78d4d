"""Training a head on a frozen base: ours against the plain Keras recipe.

Both sides start from the same 600 files and do the same work, 10 epochs on 480 images
with validation on 120, after their imports and TensorFlow's own start: ours decodes each
image once and runs the base once; the plain recipe (`image_dataset_from_directory`, the
frozen base inside the trained graph) does both in every epoch. Both load the same base
weights, random ones: time does not depend on them. No augmentation on either side. Each
side runs in processes of its own.
"""

import functools
import importlib
import logging
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

logger = logging.getLogger("kerasfaces.benchmarks")

N_IMAGES = 600
EPOCHS = 10
SIZE_PX = 180
_CACHED_RUNS = 3  # two seconds each: one alone is mostly what else the machine did
_IMPORTS = ("kerasfaces.train.fit", "kerasfaces.manifest", "openvino")


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return rows for both bases, cold, and for MobileNetV2 with features cached."""
    from kerasfaces import cli

    cli.import_keras()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = _folders(root, 60 if quick else N_IMAGES)
        rows = _measure("mobilenetv2", folder, root, 1 if quick else 3, 8.0, 30.0)
        if not quick:
            rows += _measure("resnet50", folder, root, 1, 10.0, None)
    return rows


def _measure(
    model: str, folder: Path, root: Path, pairs: int, cold: float, cached: float | None
) -> list[dict[str, Any]]:
    weights = _random_weights(model, root)
    manifest = _manifest(folder, root)
    ratios: dict[str, list[float]] = {"cold": [], "cached": []}
    for number in range(pairs):
        plain_s = _seconds(functools.partial(_plain, model, folder, weights))
        os.environ["KERASFACES_CACHE"] = str(root / f"cache-{model}-{number}")
        times = [
            _seconds(
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
    rows = [_row(f"{model}_head_cold", ratios["cold"], cold, f"{what}, nothing cached")]
    if cached is not None:
        rows.append(
            _row(f"{model}_head_cached", ratios["cached"], cached, f"{what}, cached")
        )
    return rows


def _row(name: str, ratios: list[float], target: float, what: str) -> dict[str, Any]:
    return {
        "name": name,
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "target": target,
        "what": what,
    }


def _seconds(work: Callable[[], None]) -> float:
    """Time `work` in a fresh process, where nothing it or the other side left is warm."""
    seconds: float = _call(functools.partial(_timed, work))
    return seconds


def _call(work: Callable[[], Any]) -> Any:
    """Run `work` in a fresh process, after its imports."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _import) as pool:
        return pool.submit(work).result()


def _import() -> None:
    """Import what both sides need and start TensorFlow: neither is part of the work."""
    from kerasfaces import cli

    cli.import_keras()
    import tensorflow as tf

    tf.random.uniform(())  # its devices and threads exist once something has run
    for name in _IMPORTS:
        importlib.import_module(name)


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _ours(model: str, manifest: Any, weights: Path, folder: Path) -> None:
    """Train as `kerasfaces train` does, up to the trained whole model."""
    import dataclasses

    from kerasfaces import registry
    from kerasfaces.train import config as configs
    from kerasfaces.train import data, fit
    from kerasfaces.train.prepare import Preparation

    config = dataclasses.replace(
        configs.preset("kabber2023", model), views=1, epochs=EPOCHS, batch_size=32
    )
    plugin = registry.load("kerasfaces.models", model)
    found = plugin.find_weights(str(weights), None)
    ready = Preparation(config, found)
    images = data.load(manifest, config.input_spec, ready.start)
    fit.train(config, images, found, folder, preparation=ready)


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


def _folders(root: Path, count: int) -> Path:
    """Return `root/images/{fake,real}` with `count` files of the built-in sample."""
    from kerasfaces import manifest as manifests
    from kerasfaces import sample

    made = manifests.read(sample.make(root / "sample", pairs=count // 2))
    folder = root / "images"
    for i, (path, label) in enumerate(
        zip(made.files(), made.rows["label"], strict=True)
    ):
        target = folder / label / f"{i:05d}{path.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return folder


def _manifest(folder: Path, root: Path) -> Any:
    """Return a manifest with 480 training and 120 validation images, test = a few."""
    from kerasfaces import manifest as manifests

    lines = ["path,label,source,split"]
    for label in ("real", "fake"):
        files = sorted((folder / label).iterdir())
        for i, path in enumerate(files):
            split = "train" if i % 5 else "val"
            lines.append(f"{path},{label},{label},{split}")
        lines[-1] = lines[-1].rpartition(",")[0] + ",test"
    path = root / "manifest.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifests.read(path)


def _random_weights(model: str, root: Path) -> Path:
    """Write random weights in the format of the ImageNet files that Keras publishes."""
    import h5py
    import keras

    make = {
        "mobilenetv2": keras.applications.MobileNetV2,
        "resnet50": keras.applications.ResNet50,
    }[model]
    base = make(input_shape=(None, None, 3), include_top=False, weights=None)
    path = root / f"{model}.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in base.layers]
        file.attrs["backend"] = b"tensorflow"
        for layer in base.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group[name] = value
    return path
