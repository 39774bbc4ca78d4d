"""Config + data + base weights -> trained model; phases resume from the run folder."""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import config as configs
from kerasfaces.core.clock import clock, spent_s
from kerasfaces.core.engine import Engine
from kerasfaces.dataset import degrade
from kerasfaces.dataset.batches import Source
from kerasfaces.dataset.channels import Arrays
from kerasfaces.features import devices, engines
from kerasfaces.features.cached import FeatureCache, base_recipe
from kerasfaces.features.extraction import View
from kerasfaces.models import channel_layers, network
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train import agreements, end_to_end, standardize
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data
from kerasfaces.train.loop import Phase, run_phase
from kerasfaces.train.prepare import Preparation, trains_whole

logger = logging.getLogger(__name__)

_CHUNK = 4096


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained whole model and how it came about.

    Attributes:
        model: `(n, s, s, c)` -> `(n, 1)` logit.
        logits: Per split, the logits of its readable rows, in order.
        history: One row per epoch and phase.
        facts: Engine, agreement, features that were in the cache, seconds, parameters.
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
    device_names: str = "",
) -> Trained:
    """Train head, then (on request) the end of the base; or everything at once.

    Args:
        config: What to train.
        data: Images, labels and splits.
        base_weights: A `BaseWeights`, or None to train the whole network from nothing.
        folder: The run folder; checkpoints go here.
        tensorboard: Write TensorBoard logs there.
        preparation: Of the same configuration and weights, perhaps already started.
        device_names: What trains end to end, see `devices.chosen`.
    """
    run = DetectorRun(folder)
    with clock(run.clock_file):
        trained = _train(
            config, data, base_weights, run, tensorboard, preparation, device_names
        )
    trained.facts["train_seconds"] = round(spent_s(run.clock_file), 1)
    return trained


def _train(
    config: TrainConfig,
    data: Data,
    base_weights: Any,
    run: DetectorRun,
    tensorboard: bool,
    preparation: Preparation | None,
    device_names: str,
) -> Trained:
    preparation = preparation or Preparation(config, base_weights)
    whole = trains_whole(config, base_weights)
    end_to_end.check(config, base_weights, whole)
    if device_names and not (whole or config.unfreeze):
        logger.warning("devices do nothing for a frozen base without `unfreeze`")
    extra = _tensorboard(run) if tensorboard else []
    if whole:
        model = preparation.get().model
        _say(model, "trained from nothing" if base_weights is None else "all trained")
        _fit_scaling(model, data)
        network.unfreeze_all(model)
        model, history, continued = _train_on_images(
            config, data, model, base_weights, run, extra, device_names
        )
        facts: dict[str, Any] = {"engine": engines.keras_name()}
    else:
        model, history, logits, facts = _train_frozen(
            config, data, preparation, base_weights, run, extra
        )
        if config.unfreeze:
            count = network.freeze(model, config.unfreeze)
            logger.info("fine-tuning the last %d base layers with weights", count)
            model, more, continued = _train_on_images(
                config, data, model, base_weights, run, extra, device_names
            )
            history += more
    if whole or config.unfreeze:
        facts["continued"] = continued
        logits = _all_logits(data, lambda p: _image_logits(model, data, p))
    facts["parameters"] = model.count_params()
    return Trained(model, logits, history, facts)


def _say(model: Any, what: str) -> None:
    logger.info("%s: %s parameters, %s", model.name, f"{model.count_params():,}", what)


def _fit_scaling(model: Any, data: Data) -> None:
    reader = data.images.store.reader(data.keys(data.readable("train")))
    channel_layers.fit_scaling(model, reader, len(reader))


def _train_frozen(
    config: TrainConfig,
    data: Data,
    preparation: Preparation,
    base_weights: Any,
    run: DetectorRun,
    callbacks: list[Any],
) -> tuple[Any, list[dict[str, Any]], dict[str, NDArray[np.float64]], dict[str, Any]]:
    """Train a head on features, which need no base where they are cached; join them."""
    preparation.settle()
    scaling = None
    if not config.model.is_rgb:
        model = preparation.get().model
        _fit_scaling(model, data)
        scaling = channel_layers.scaling_of(model)
    features = feature_cache(
        config, data.images.store, preparation, base_weights, scaling, data.spread
    )
    head, history = _train_head(config, data, features, run, callbacks)
    model = preparation.get().model
    _say(model, "base frozen")
    own = model.get_layer("head")
    own.set_weights(head.get_weights())
    if config.model.head.standardize:
        own.get_layer("standardize").finalize_state()
    logits = _all_logits(
        data, lambda p: head_logits(own, features.reader(data.keys(p)))
    )
    shared = preparation.get().extractor if preparation.shared else None
    agreement = agreements.worst(model, data, logits["test"], shared)
    facts = {
        "engine": features.engine,
        "agreement": agreement,
        "features_cached": features.n_cached,
    }
    return model, history, logits, facts


def feature_cache(
    config: TrainConfig,
    images: Arrays,
    preparation: Preparation,
    base_weights: Any,
    scaling: dict[str, Any] | None = None,
    spread: Engine | None = None,
) -> FeatureCache:
    """Return the features a frozen base's head is trained on; nothing runs yet."""
    return FeatureCache(
        lambda: preparation.get().extractor,
        base_recipe(configs.to_dict(config.model), base_weights.describe(), scaling),
        images,
        lambda: preparation.get().engine,
        spread,
    )


def _train_head(
    config: TrainConfig,
    data: Data,
    features: FeatureCache,
    run: DetectorRun,
    callbacks: list[Any],
) -> tuple[Any, list[dict[str, Any]]]:
    train, val = data.readable("train"), data.readable("val")
    keys = data.keys(train)
    views = [View(number=i, augment=config.augment) for i in range(config.views)]
    readers = [features.reader(keys, view) for view in views]
    val_features = features.reader(data.keys(val))
    head = network.build_head(readers[0].shape[-1], config.model.head, config.seed)
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
        inputs_by=features.engine,
        callbacks=callbacks,
        **_optimizer(config),
    )
    return head, run_phase(phase, run.checkpoint_file(phase.name))


def _train_on_images(
    config: TrainConfig,
    data: Data,
    model: Any,
    base_weights: Any,
    run: DetectorRun,
    callbacks: list[Any],
    device_names: str,
) -> tuple[Any, list[dict[str, Any]], list[str]]:
    """Train through the base on images, augmented by layers in front of the model.

    Returns:
        The model, its history, and what was continued by another backend or device.
    """
    train, val = data.readable("train"), data.readable("val")
    names = devices.chosen(device_names)
    with devices.building(names):
        twin = end_to_end.twin_of(config, model, base_weights, names)
        network = end_to_end.augmented(twin, config)
    whole = trains_whole(config, base_weights)
    reader = data.images.store.reader(data.keys(train))

    def val_logits() -> NDArray[np.float64]:
        if len(names) == 1:
            return _image_logits(twin, data, val)
        model.set_weights(twin.get_weights())
        with devices.apart():
            return _image_logits(model, data, val)

    phase = Phase(
        name="scratch" if whole else "fine_tune",
        model=network,
        source=dataclasses.replace(
            source(config, data.labels(train), [reader]),
            change=degrade.changer(config.augment, config.seed),
            multiple=len(names),
        ),
        val_logits=val_logits,
        val_labels=data.labels(val),
        devices=names,
        epochs=config.epochs if whole else config.fine_tune_epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate if whole else config.fine_tune_learning_rate,
        schedule=config.schedule,
        patience=config.patience,
        seed=config.seed,
        computed_by=engines.keras_name(),
        callbacks=callbacks,
        **_optimizer(config),
    )
    history = run_phase(phase, run.checkpoint_file(phase.name))
    if twin is not model:
        model.set_weights(twin.get_weights())
    return model, history, phase.continued


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
    from kerasfaces.run.predictor import image_logits

    return image_logits(model, data.images.store.reader(data.keys(positions)))


def _tensorboard(run: DetectorRun) -> list[Any]:
    import keras

    return [keras.callbacks.TensorBoard(str(run.tensorboard_folder))]
