"""Features of a frozen transformer: the engine this machine chooses against Keras.

DINOv2-small at 224 px with our default taps, random weights (time does not depend on
them), 32-bit: Keras' `predict` in batches of 32 against the features package's engine.
Both sides are warm, take turns in one process, and have this machine's cores.
"""

import dataclasses
import logging
import time
from typing import Any

import numpy as np

from benchmarks.framework import timing

logger = logging.getLogger("kerasfaces.benchmarks")

N_IMAGES = 32
PAIRS = 3
TARGET = 1.4
MODEL = "dinov2_small"


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return one row: seconds of `predict` over seconds of the engine."""
    from kerasfaces.core.imports import import_keras

    import_keras()
    from kerasfaces.features import engines
    from kerasfaces.models import catalogue, network
    from kerasfaces.train import config as configs

    config = configs.default(MODEL).model
    if quick:
        options = dataclasses.replace(config.options, layers=2)
        taps = ("block_1", "block_2")
        config = dataclasses.replace(config, options=options, taps=taps)
    extractor = network.extractor_of(catalogue.load(MODEL).build(config))
    random = np.random.default_rng(0)
    shape = (4 if quick else N_IMAGES, config.size_px, config.size_px, 3)
    images = random.integers(0, 256, shape, np.uint8)
    engine = engines.choose(extractor, images)
    pixels = images.astype(np.float32)

    def ours() -> None:
        for start in range(0, len(images), engine.batch):
            engine.extract(images[start : start + engine.batch])

    def plain() -> None:
        extractor.predict(pixels, batch_size=32, verbose=0)

    plain()
    ours()
    ratios = []
    for _ in range(1 if quick else PAIRS):
        seconds = []
        for work in (plain, ours):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
        logger.info("predict %.2f s, %s %.2f s", seconds[0], engine.name, seconds[1])
        ratios.append(seconds[0] / seconds[1])
    what = f"features of {MODEL} at {config.size_px} px, Keras predict / {engine.name}"
    return [timing.row(f"{MODEL}_features", ratios, TARGET, what)]
