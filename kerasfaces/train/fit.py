"""Config + data + base weights -> trained model; phases resume from the run folder."""

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import config as configs
from kerasfaces import registry
from kerasfaces.dataset import degrade
from kerasfaces.dataset.batches import Source
from kerasfaces.errors import InputError
from kerasfaces.features import engines
from kerasfaces.features.cached import FeatureCache, View, base_recipe
from kerasfaces.models.parts import assemble, stem
from kerasfaces.models.parts import head as heads
from kerasfaces.train import standardize
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data
from kerasfaces.train.loop import Phase, run_phase
from kerasfaces.train.prepare import Preparation, trains_whole

logger = logging.getLogger(__name__)

_CHUNK = 4096
_CHECKED_IMAGES = 4


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained whole model and how it came about.

    Attributes:
        model: `(n, s, s, c)` -> `(n, 1)` logit.
        logits: Per split, the logits of its readable rows, in order.
        history: One row per epoch and phase.
        facts: Engine, agreement, seconds, parameter counts.
    """

    model: Any
    logits: dict[str, NDArray[np.float64]]
    history: list[dict[str, Any]]
    facts: dict[str, Any]


def train(
    config: TrainConfig,
    data: Data,
    base_weights: Any,
    folder: Path,
    tensorboard: bool = False,
    preparation: Preparation | None = None,
) -> Trained:
    """Train head, then (on request) the end of the base; or everything at once.

    Args:
        config: What to train.
        data: On what.
        base_weights: A `BaseWeights`, or None to train the whole network from nothing.
        folder: The run folder; checkpoints go here.
        tensorboard: Write TensorBoard logs to `folder/tensorboard`.
        preparation: Of the same configuration and weights, perhaps already started.
    """
    plugin = registry.load("kerasfaces.models", config.model.name)
    preparation = preparation or Preparation(config, base_weights)
    whole = trains_whole(plugin, base_weights, config)
    _check(config, base_weights, whole)
    extra = _tensorboard(folder) if tensorboard else []
    started = time.monotonic()
    if whole:
        model = preparation.get().model
        _say(model, "trained from nothing" if base_weights is None else "all trained")
        _fit_scaling(model, data)
        assemble.unfreeze_all(model)
        model, history = _train_on_images(
            config, data, model, plugin, base_weights, folder, extra
        )
        facts: dict[str, Any] = {"engine": "keras"}
    else:
        model, history, logits, facts = _train_frozen(
            config, data, preparation, base_weights, folder, extra
        )
        if config.unfreeze:
            count = assemble.freeze(model, config.unfreeze)
            logger.info("fine-tuning the last %d base layers with weights", count)
            model, more = _train_on_images(
                config, data, model, plugin, base_weights, folder, extra
            )
            history += more
    if whole or config.unfreeze:
        logits = _all_logits(data, lambda p: _image_logits(model, data, p))
    facts["train_seconds"] = round(time.monotonic() - started, 1)
    facts["parameters"] = model.count_params()
    return Trained(model, logits, history, facts)


def _check(config: TrainConfig, base_weights: Any, whole: bool) -> None:
    """Refuse, or speak of, settings that do not go together."""
    if config.unfreeze and whole:
        raise InputError(
            "--unfreeze goes with base weights; --weights none trains all."
            if base_weights is None
            else f"--unfreeze goes with a frozen base; {config.model.name} "
            f"{'with train_base=true ' if config.train_base else ''}trains all."
        )
    if config.views > 1 and whole:
        logger.warning(
            "views=%d does nothing where all is trained: every epoch changes each image "
            "anew, as augment says",
            config.views,
        )
    if config.mixed_precision and not (whole or config.unfreeze):
        logger.warning(
            "mixed precision does nothing for a frozen base without --unfreeze"
        )
    if (config.augment.blur or config.augment.jpeg) and not whole:
        raise InputError(
            "augment.blur and augment.jpeg change images while the whole model is trained; "
            f"with --weights none, or --model wang2020, not in front of {config.model.name}'s "
            "frozen base."
        )


def _say(model: Any, what: str) -> None:
    logger.info("%s: %s parameters, %s", model.name, f"{model.count_params():,}", what)


def _fit_scaling(model: Any, data: Data) -> None:
    reader = data.images.store.reader(data.keys(data.readable("train")))
    stem.fit_scaling(model, reader, len(reader))


def _train_frozen(
    config: TrainConfig,
    data: Data,
    preparation: Preparation,
    base_weights: Any,
    folder: Path,
    callbacks: list[Any],
) -> tuple[Any, list[dict[str, Any]], dict[str, NDArray[np.float64]], dict[str, Any]]:
    """Train a head on cached features, while the base is built, and join them."""
    scaling = None
    if config.model.is_rgb:
        preparation.start(convert=False)
    else:
        model = preparation.get().model
        _fit_scaling(model, data)
        scaling = stem.scaling_of(model)
    features = FeatureCache(
        lambda: preparation.get().extractor,
        base_recipe(configs.to_dict(config.model), base_weights.describe(), scaling),
        data.images.store,
        lambda: preparation.get().engine,
    )
    head, history = _train_head(config, data, features, folder, callbacks)
    model = preparation.get().model
    _say(model, "base frozen")
    own = model.get_layer("head")
    own.set_weights(head.get_weights())
    if config.model.head.standardize:
        own.get_layer("standardize").finalize_state()
    logits = _all_logits(
        data, lambda p: head_logits(own, features.reader(data.keys(p)))
    )
    facts = {"engine": features.engine, "agreement": _agreement(model, data, logits)}
    return model, history, logits, facts


def _train_head(
    config: TrainConfig,
    data: Data,
    features: FeatureCache,
    folder: Path,
    callbacks: list[Any],
) -> tuple[Any, list[dict[str, Any]]]:
    train, val = data.readable("train"), data.readable("val")
    keys = data.keys(train)
    views = [View(number=i, augment=config.augment) for i in range(config.views)]
    readers = [features.reader(keys, view) for view in views]
    val_features = features.reader(data.keys(val))
    head = heads.build(readers[0].shape[-1], config.model.head, config.seed)
    if config.model.head.standardize:
        standardize.adapt(head.get_layer("standardize"), readers)
    phase = Phase(
        name="head",
        model=head,
        source=source(config, data.labels(train), readers),
        val_logits=lambda: head_logits(head, val_features),
        val_labels=data.labels(val),
        epochs=config.epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        schedule=config.schedule,
        patience=config.patience,
        seed=config.seed,
        callbacks=callbacks,
        **_optimizer(config),
    )
    return head, run_phase(phase, folder / "checkpoints" / "head.npz")


def _train_on_images(
    config: TrainConfig,
    data: Data,
    model: Any,
    plugin: Any,
    base_weights: Any,
    folder: Path,
    callbacks: list[Any],
) -> tuple[Any, list[dict[str, Any]]]:
    """Train through the base on images, augmented by layers in front of the model."""
    from kerasfaces.train import end_to_end

    train, val = data.readable("train"), data.readable("val")
    twin = end_to_end.in_precision(config, model, plugin, base_weights)
    whole = trains_whole(plugin, base_weights, config)
    reader = data.images.store.reader(data.keys(train))
    phase = Phase(
        name="scratch" if whole else "fine_tune",
        model=end_to_end.augmented(twin, config),
        source=dataclasses.replace(
            source(config, data.labels(train), [reader]),
            change=degrade.changer(config.augment, config.seed),
        ),
        val_logits=lambda: _image_logits(twin, data, val),
        val_labels=data.labels(val),
        epochs=config.epochs if whole else config.fine_tune_epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate if whole else config.fine_tune_learning_rate,
        schedule=config.schedule,
        patience=config.patience,
        seed=config.seed,
        callbacks=callbacks,
        **_optimizer(config),
    )
    history = run_phase(phase, folder / "checkpoints" / f"{phase.name}.npz")
    if twin is not model:
        model.set_weights(twin.get_weights())
    return model, history


def _optimizer(config: TrainConfig) -> dict[str, Any]:
    names = ("optimizer", "momentum", "plateau_factor", "plateau_patience")
    return {name: getattr(config, name) for name in names}


def source(
    config: TrainConfig, labels: NDArray[np.float32], reads: Sequence[Any]
) -> Source:
    """Return training examples with the weights the configuration gives the classes.

    Args:
        config: The run.
        labels: `(n,)`, 1 = fake.
        reads: One per view.
    """
    weights = np.ones_like(labels)
    if config.class_weights:
        share = labels.mean()
        weights = np.where(labels == 1, 0.5 / share, 0.5 / (1 - share)).astype(
            np.float32
        )
    return Source(reads=reads, labels=labels, weights=weights)


def _all_logits(
    data: Data, logits: Callable[[NDArray[np.int64]], NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    return {split: logits(data.readable(split)) for split in ("val", "test")}


def head_logits(head: Any, reader: Any) -> NDArray[np.float64]:
    """Return a head's logits of all of a reader's features, `(n,)`."""
    import keras

    parts = []
    for start in range(0, len(reader), _CHUNK):
        batch = reader(np.arange(start, min(start + _CHUNK, len(reader))))
        parts.append(keras.ops.convert_to_numpy(head(batch, training=False))[:, 0])
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)


def _image_logits(
    model: Any, data: Data, positions: NDArray[np.int64]
) -> NDArray[np.float64]:
    from kerasfaces.features.predict import image_logits

    return image_logits(model, data.images.store.reader(data.keys(positions)))


def _agreement(model: Any, data: Data, logits: dict[str, NDArray[np.float64]]) -> float:
    """Return how far cached and end-to-end logits of some test images differ at most."""
    positions = data.readable("test")[:_CHECKED_IMAGES]
    pixels = data.images.store.gather(data.keys(positions))
    whole = engines.eagerly(model, pixels)[:, 0]
    difference = float(np.max(np.abs(whole - logits["test"][: len(positions)])))
    logger.info("cached and end-to-end logits differ by at most %.1e", difference)
    return difference


def _tensorboard(folder: Path) -> list[Any]:
    import keras

    return [keras.callbacks.TensorBoard(str(folder / "tensorboard"))]
