"""Milliseconds per image of a finished run: from a batch of files to its logits.

The path is that of `kerasfaces evaluate RUN --manifest M`, without its caches: each file
is read, decoded and resized by the shared loader, one after another in this process; a
frozen base runs in the engine that this machine chooses, everything else in Keras; channels
are made by a process of the channel stage, whose start is in the number. Loading the model
is not. Batches of the detector and of a reference alternate, so that other work on the
machine slows both: their ratio is worth more than the milliseconds.
"""

import contextlib
import dataclasses
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import images
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.channels import own_process
from kerasfaces.core.errors import ImageError
from kerasfaces.dataset.channels import from_store
from kerasfaces.features import engines
from kerasfaces.images import InputSpec
from kerasfaces.models import network
from kerasfaces.run import predictor as predict
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.network import TrainedNetwork

Score = Callable[[Sequence[Path]], NDArray[np.float64]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Speed:
    """Milliseconds per image.

    Attributes:
        ms: Median over batches.
        fastest_ms: Fastest batch.
        slowest_ms: Slowest batch.
        reference_ms: Median of the reference's batches in between; NaN without one.
        batch: Images per batch.
        batches: Number of timed batches, after one that was not.
        cores: Cores of the machine.
        load: Its load average at the end, others' work included.
    """

    ms: float
    fastest_ms: float
    slowest_ms: float
    reference_ms: float
    batch: int
    batches: int
    cores: int
    load: float


@dataclasses.dataclass(frozen=True)
class Ready:
    """A run that was loaded.

    Attributes:
        score: Files -> logits.
        parameters: Number of parameters of the whole model.
        trained: Number of them that training changed.
    """

    score: Score
    parameters: int
    trained: int


def measure(
    run: Ready,
    files: Sequence[Path],
    reference: Ready | None,
    batch: int,
    batches: int,
) -> Speed:
    """Time batches of a run and of a reference in turn.

    Args:
        run: The detector.
        files: Readable images; used over and over.
        reference: The reference; None compares with nothing.
        batch: Images per batch.
        batches: Number of batches of each that are timed.
    """
    ring = [files[i % len(files)] for i in range(batch * (batches + 1))]
    seconds: list[float] = []
    others: list[float] = []
    for number in range(batches + 1):
        part = ring[number * batch : (number + 1) * batch]
        for each, times in ((reference, others), (run, seconds)):
            if each is None:
                continue
            started = time.perf_counter()
            each.score(part)
            if number:  # the first traces and warms up
                times.append(time.perf_counter() - started)
    ms = 1000 * np.array(seconds) / batch
    return Speed(
        ms=float(np.median(ms)),
        fastest_ms=float(ms.min()),
        slowest_ms=float(ms.max()),
        reference_ms=float(np.median(others)) * 1000 / batch if others else np.nan,
        batch=batch,
        batches=batches,
        cores=os.cpu_count() or 1,
        load=round(os.getloadavg()[0], 1),
    )


def readable(files: Sequence[Path], count: int) -> list[Path]:
    """Return the first `count` files that are images."""
    readable_files: list[Path] = []
    for path in files:
        if len(readable_files) == count:
            break
        with contextlib.suppress(ImageError):
            images.load(path)
            readable_files.append(path)
    return readable_files


def load(folder: Path, few: Sequence[Path]) -> Ready:
    """Load a finished run.

    Args:
        folder: The run folder.
        few: Images on which engines are compared with Keras.

    Raises:
        RunError: The run is unfinished or damaged.
    """
    opened = DetectorRun(folder)
    if opened.baseline is not None:
        return _baseline(opened, opened.baseline)
    run = opened.network
    model = run.load()
    if not run.frozen:
        network.unfreeze_all(model)
    spec, names = run.input_spec, run.model.channel_names
    trained = model.get_layer("head") if run.frozen else model
    logits = _frozen(model, _pixels(few, spec)) if _on_pixels(run) else _whole(model)

    def score(files: Sequence[Path]) -> NDArray[np.float64]:
        if run.channel_recipe is None:
            return logits(_pixels(files, spec))
        return logits(_channels(files, run.channel_recipe, names))

    return Ready(score, model.count_params(), _count(trained.trainable_weights))


def _on_pixels(run: TrainedNetwork) -> bool:
    return run.frozen and run.channel_recipe is None


def _baseline(run: DetectorRun, config: BaselineConfig) -> Ready:
    def score(files: Sequence[Path]) -> NDArray[np.float64]:
        pixels = _pixels(files, config.input_spec)
        return run.baseline_logits(lambda at: pixels[at], len(files))

    count = int(sum(np.size(value) for value in run.fitted.values()))
    return Ready(score, count, count)


def _frozen(
    model: Any, few: NDArray[np.uint8]
) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    engine = engines.choose(network.extractor_of(model), few)
    head = model.get_layer("head")

    def logits(batch: NDArray[Any]) -> NDArray[np.float64]:
        step = engine.batch
        parts = [
            engine.extract(batch[start : start + step])
            for start in range(0, len(batch), step)
        ]
        return predict.image_logits(head, _Reader(np.concatenate(parts)))

    return logits


def _whole(model: Any) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    return lambda batch: predict.image_logits(model, _Reader(batch))


def _pixels(files: Sequence[Path], spec: InputSpec) -> NDArray[np.uint8]:
    return np.stack([images.load_array(path, spec) for path in files])


def _channels(
    files: Sequence[Path], recipe: dict[str, Any], names: Sequence[str]
) -> NDArray[Any]:
    """Return the channels of files; those of images without a face are left out."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "store"
        own_process.compute_as(files, recipe, target)
        joined = from_store(files, target, names)
        keys = [
            key for key, why in zip(joined.keys, joined.reasons, strict=True) if not why
        ]
        return np.array(joined.store.gather(keys))


def _count(weights: Sequence[Any]) -> int:
    return int(sum(np.prod(weight.shape) for weight in weights))


class _Reader:
    """Arrays in memory, read as a cache is."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __call__(self, positions: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self._values[positions])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)
