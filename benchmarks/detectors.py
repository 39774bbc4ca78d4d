"""Every detector's time per image beside kabber2023's MobileNetV2, taken in turns.

A ratio of 5 is five times kabber2023's time. Each detector is built as `kerasfaces train
--model X` builds it, at its own size, and scores the same few images in memory through
the whole network with Keras: neither side decodes, resizes or makes channels, nothing is
cached. All weights are random, also where trained ones exist: time does not depend on
them. There is nothing to meet: the target is 0.
"""

import logging
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.framework import timing

logger = logging.getLogger("kerasfaces.benchmarks")
REFERENCE = "kabber2023"
_BATCH = 8
_LEAST_S, _TURNS = 0.5, 3
Score = Callable[[], Any]


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return one row per model and baseline that is installed here."""
    from kerasfaces.core import registry
    from kerasfaces.core.errors import MissingExtraError
    from kerasfaces.core.imports import import_keras
    from kerasfaces.models import catalogue

    import_keras()
    random = np.random.default_rng(0)
    names = ("mobilenetv2", "two_layer_cnn", "hog_svm") if quick else ()
    beside, _ = _model("mobilenetv2", random, preset=REFERENCE)
    rows = []
    for listed, build in (
        (catalogue.names(), _model),
        (registry.names("kerasfaces.baselines.zoo"), _baseline),
    ):
        for name in listed:
            if names and name not in names:
                continue
            try:
                score, what = build(name, random)
            except MissingExtraError as error:
                logger.warning("%s is not timed: %s", name, error)
                continue
            ratios = _ratios(score, beside, 1 if quick else _TURNS)
            rows.append(
                timing.row(
                    f"time_{name}",
                    ratios,
                    0.0,
                    f"time per image, {what}, random weights / kabber2023's MobileNetV2 at "
                    f"180 px, batches of {_BATCH}, Keras",
                )
            )
            logger.info("%s: %.2f", name, statistics.median(ratios))
    return rows


def _ratios(score: Score, beside: Score, turns: int) -> list[float]:
    """Return time of `score` over that of `beside`, once per turn."""
    score(), beside()  # traced
    ratios = []
    for _ in range(turns):
        theirs = _seconds(beside)
        ratios.append(_seconds(score) / theirs)
    return ratios


def _seconds(score: Score) -> float:
    """Return the seconds of one call, over enough calls to be measured."""
    calls, started, passed = 0, time.perf_counter(), 0.0
    while not calls or passed < _LEAST_S:
        score()
        calls, passed = calls + 1, time.perf_counter() - started
    return passed / calls


def _model(
    name: str, random: np.random.Generator, preset: str | None = None
) -> tuple[Score, str]:
    """Return what scores one batch with a network, and what it is."""
    from kerasfaces.models import catalogue
    from kerasfaces.train import config as configs

    training = configs.preset(preset, name) if preset else configs.default(name)
    config = training.model
    net = catalogue.load(name).build(config)
    images = _images(random, net.input_shape[1], net.input_shape[-1])
    images = images.astype(np.float32)
    scales = "+".join(f"{round(scale * config.size_px)}" for scale in config.scales)
    return lambda: net.predict_on_batch(images), f"{name} at {scales} px"


def _baseline(name: str, random: np.random.Generator) -> tuple[Score, str]:
    """Return what scores one batch with a baseline, fitted on noise."""
    from kerasfaces.core import registry

    plugin = registry.load("kerasfaces.baselines.zoo", name)
    config = plugin.CONFIG()
    images = _images(random, config.model.size_px, 3)
    labels = np.arange(_BATCH, dtype=np.float32) % 2

    def read(positions: NDArray[Any]) -> NDArray[Any]:
        pixels: NDArray[Any] = images[positions]
        return pixels

    arrays = plugin.fit(config, read, labels)
    what = f"{name} at {config.model.size_px} px"
    return lambda: plugin.logits(config, arrays, read, _BATCH), what


def _images(
    random: np.random.Generator, size_px: int, channels: int
) -> NDArray[np.uint8]:
    shape = (_BATCH, size_px, size_px, channels)
    return random.integers(0, 256, shape, dtype=np.uint8)
