"""What frozen features and a training take per image, measured on a few images here."""

import contextlib
import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces import images as pictures
from kerasfaces.core import machine
from kerasfaces.core.errors import ImageError
from kerasfaces.dataset.batches import Source
from kerasfaces.dataset.laundered import Picture, make_views
from kerasfaces.estimate.workload import REPEATS, Rate, decoding, timed, writing
from kerasfaces.features import engines
from kerasfaces.models import network
from kerasfaces.models.weights import BaseWeights
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.loop import run_phase
from kerasfaces.train.network_builder import NetworkBuilder
from kerasfaces.train.phase import Phase

if TYPE_CHECKING:
    import keras

_EPOCHS = (2, 12)  # a head's; the difference is free of what tracing takes
_HEAD_ROWS = 1024


def features(
    config: TrainConfig, base_weights: BaseWeights, files: Sequence[Path]
) -> list[Rate]:
    """Time decoding, the frozen base and writing, over all augmented views.

    Raises:
        InputError: None of the images can be decoded, or nothing of the model is frozen.
    """
    pixels, decoded = decoding(files, config.input_spec)
    images = np.stack(pixels)
    extractor = NetworkBuilder(config, base_weights).get().extractor
    engine = engines.choose(extractor, images)
    engine.extract(images[: engine.batch])
    starts = range(0, len(images), engine.batch)

    def work() -> NDArray[np.float32]:
        parts = [engine.extract(images[at : at + engine.batch]) for at in starts]
        return np.concatenate(parts)

    values, spent = min((timed(work) for _ in range(REPEATS)), key=lambda one: one[1])
    base = Rate(
        f"features, {config.views} view{'s' * (config.views > 1)}",
        config.views * spent * machine.usable_cores() / len(images),
        on_gpu=True,
    )
    views = np.tile(values, config.views)
    return [
        decoded,
        *_laundering(config, files),
        _writing_pixels(config, images),
        base,
        writing("writing features", views, {}),
    ]


def training(
    config: TrainConfig, base_weights: BaseWeights | None, files: Sequence[Path]
) -> list[Rate]:
    """Time everything that a training on images does, for all its epochs.

    Early stopping may end it before; here no epoch is left out.

    Raises:
        InputError: None of the images can be decoded.
    """
    if config.trains_whole(base_weights):
        pixels, decoded = decoding(files, config.input_spec)
        model = NetworkBuilder(config, base_weights).get().model
        images = np.stack(pixels)
        steps = _steps(config, model, images, config.epochs)
        written = _writing_pixels(config, images)
        return [decoded, *_laundering(config, files), written, steps]
    assert base_weights is not None  # noqa: S101 - for the type checker
    rates = features(config, base_weights, files)
    built = NetworkBuilder(config, base_weights).get()
    assert built.extractor is not None  # noqa: S101 - for the type checker
    rates.append(_head(config, int(built.extractor.output_shape[-1])))
    if config.unfreeze:
        pixels, _ = decoding(files, config.input_spec)
        stacked, epochs = np.stack(pixels), config.fine_tune_epochs
        rates.append(_steps(config, built.model, stacked, epochs))
    return rates


def _n_laundered(config: TrainConfig) -> int:
    """Return how many views of each image are laundered, each kept beside the plain one."""
    return config.views - 1 if config.launder else 0


def _laundering(config: TrainConfig, files: Sequence[Path]) -> list[Rate]:
    """Time the laundered views, for which a picture is read and decoded once more."""
    n_views = _n_laundered(config)
    if not n_views:
        return []
    views, times = list(range(1, config.views)), []
    for path in files:
        with contextlib.suppress(ImageError):  # skipped and said by `decoding`
            sha256 = pictures.sha256(pictures.read_file(path))
            picture = Picture(path=path, sha256=sha256, key=sha256)
            job, spec = (picture, views), config.input_spec
            made, spent = timed(
                functools.partial(make_views, job, spec, config.launder)
            )
            if not isinstance(made, str):
                times.append(spent)
    name = f"laundering, {n_views} view{'s' * (n_views > 1)}"
    return [Rate(name, float(np.mean(times or 0.0)))]


def _writing_pixels(config: TrainConfig, images: NDArray[np.uint8]) -> Rate:
    """Time writing an image's pixels and those of its laundered views."""
    rate, n = writing("writing pixels", images, {}), 1 + _n_laundered(config)
    return dataclasses.replace(rate, core_s=n * rate.core_s, n_bytes=n * rate.n_bytes)


def _head(config: TrainConfig, n_features: int) -> Rate:
    """Time a head's epochs on made-up features: their values do not change the time."""
    random = np.random.default_rng(0)
    values = random.normal(size=(_HEAD_ROWS, n_features)).astype(np.float32)
    labels = (np.arange(_HEAD_ROWS) % 2).astype(np.float32)
    source = Source(
        reads=[functools.partial(np.take, values, axis=0)],
        labels=labels,
        weights=np.ones_like(labels),
    )

    def work(epochs: int) -> None:
        head = network.build_head(n_features, config.model.head, config.seed)
        phase = Phase(
            name="head",
            model=head,
            source=source,
            val_logits=lambda: labels.astype(np.float64),
            val_labels=labels,
            config=dataclasses.replace(config, epochs=epochs, patience=None),
        )
        run_phase(phase, None)

    few, many = (timed(functools.partial(work, epochs))[1] for epochs in _EPOCHS)
    epoch_s = max(many - few, 0.0) / (_EPOCHS[1] - _EPOCHS[0])
    per_image = epoch_s / _HEAD_ROWS * config.epochs
    return Rate(f"head, {config.epochs} epochs", per_image, spread="process")


def _steps(
    config: TrainConfig, model: "keras.Model", pixels: NDArray[np.uint8], epochs: int
) -> Rate:
    """Time training steps through the whole network."""
    import keras

    model.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=False,
    )
    batch = np.resize(pixels, (config.batch_size, *pixels.shape[1:])).astype(np.float32)
    labels = (np.arange(len(batch)) % 2).astype(np.float32)[:, None]
    step = functools.partial(model.train_on_batch, batch, labels)
    step()  # traces
    spent = min(timed(step)[1] for _ in range(REPEATS))
    per_image = spent * machine.usable_cores() / len(batch) * epochs
    name = f"whole network, {epochs} epochs"
    return Rate(name, per_image, spread="machine", on_gpu=True)
