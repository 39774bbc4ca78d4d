"""A finished run on disk, made in seconds: fake means a fine pattern in one corner."""

import dataclasses

import numpy as np
from PIL import Image

from kerasfaces.core import config as configs
from kerasfaces.core import rng
from kerasfaces.core.files import write_json
from kerasfaces.images import InputSpec
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.models.zoo import modified_cnn
from kerasfaces.train.config import TrainConfig

SIZE_PX = 32
CORNER = slice(0, 8)  # 2 x 2 of the 8 x 8 patches
MODEL = ModelConfig(
    name="modified_cnn",
    size_px=SIZE_PX,
    pooling="mean_std",
    options=modified_cnn.Options(layers=1, filters=8, kernel_px=3),
    head=HeadConfig(standardize=False),
)
POINT = {
    "calibrator": {"kind": "platt", "a": 1.0, "b": 0.0},
    "threshold": 0.5,
    "rule": "by hand",
    "threshold_fpr_1pct": 0.9,
    "rule_fpr_1pct": "by hand",
    "abstain": [0.5, 0.5],
    "false_alarm_rate": 0.0,
    "miss_rate": 0.0,
    "chosen_on": {"split": "val", "n_real": 10, "n_fake": 10},
}


def picture(fake, number):
    """`(32, 32, 3)` uint8: smooth with a little noise; fakes have a chequered corner."""
    random = rng.generator(7, "fake" if fake else "real", number)
    level = np.linspace(*random.uniform(80, 180, 2), SIZE_PX)
    pixels = level[:, None, None] + random.normal(0, 4, (SIZE_PX, SIZE_PX, 3))
    if fake:
        chequers = np.indices((8, 8)).sum(axis=0) % 2
        pixels[CORNER, CORNER] += 70 * (chequers[..., None] - 0.5)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def write_run(folder, model, config=MODEL):
    """Write what `explain` reads of a run folder."""
    folder.mkdir(parents=True)
    train = dataclasses.replace(TrainConfig(), model=config)
    told = {"train": configs.to_dict(train), "weights": None}
    write_json(folder / "config.json", told)
    spec = configs.to_dict(InputSpec(size_px=config.size_px))
    write_json(folder / "input_spec.json", {"input": spec})
    write_json(folder / "operating_point.json", POINT)
    model.save(folder / "model.keras")
    return folder


def write_images(folder, n=4):
    """Write `n` pictures of each class and a manifest that calls all of them test."""
    lines = ["path,label,source,split"]
    for fake in (False, True):
        label = "fake" if fake else "real"
        for number in range(100, 100 + n):
            path = folder / f"{label}{number}.png"
            Image.fromarray(picture(fake, number)).save(path)
            lines.append(f"{path},{label},{'gan' if fake else 'camera'},test")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sorted(folder.glob("*.png"))
