"""Inputs of both sides of a benchmark: files of the sample, random base weights."""

import shutil
from pathlib import Path
from typing import Any


def folders(root: Path, count: int) -> Path:
    """Return `root/images/{fake,real}` with `count` files of the built-in sample."""
    from kerasfaces import manifest as manifests
    from kerasfaces import sample

    images = manifests.read(sample.make(root / "sample", pairs=count // 2))
    folder = root / "images"
    pairs = zip(images.files(), images.rows["label"], strict=True)
    for i, (path, label) in enumerate(pairs):
        target = folder / label / f"{i:05d}{path.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return folder


def manifest(folder: Path, root: Path) -> Any:
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


def random_weights(model: str, root: Path) -> Path:
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
