"""Config + data + base weights -> trained model; phases resume from the run folder."""

import dataclasses
import logging
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces import baselines
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import arrays, registry
from kerasfaces.core.clock import clock, spent_s
from kerasfaces.core.files import Json
from kerasfaces.dataset.views import changer
from kerasfaces.evaluate.unseen import LeftOut
from kerasfaces.features import devices, engines
from kerasfaces.features.cached import FeatureCache
from kerasfaces.models import channel_layers, network
from kerasfaces.models.weights import BaseWeights
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.network_outputs import image_logits
from kerasfaces.train import discriminant, end_to_end
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data
from kerasfaces.train.frozen_features import frozen_features
from kerasfaces.train.heads import head_logits, prepare
from kerasfaces.train.loop import run_phase
from kerasfaces.train.network_builder import NetworkBuilder
from kerasfaces.train.phase import Phase, Rows, scores
from kerasfaces.train.protocol import examples_of
from kerasfaces.train.remembered import Embed, of_features, of_images
from kerasfaces.train.views import source, training_views

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

_COMPARED_IMAGES = 4  # cached features against the whole model
Logits = dict[str, NDArray[np.float64]]


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained detector and how it came about."""

    # `(n, s, s, c)` -> `(n, 1)` logit; of a baseline, a dictionary of arrays.
    model: "keras.Model | arrays.Arrays"
    logits: Logits  # per split, the logits of its readable rows, in order
    history: Rows  # one row per epoch and phase
    # Engine, agreement, features that were in the cache, seconds, parameters.
    facts: Json
    # Logits of heads that had not seen a family, where the protocol asks.
    left_out: LeftOut | None = None
    # Rows of the data -> the head's final layer; None of a baseline.
    embed: Embed | None = None


def train(
    config: TrainConfig,
    data: Data,
    base_weights: BaseWeights | None,
    folder: Path,
    tensorboard: bool = False,
    builder: NetworkBuilder | None = None,
    device_names: str = "",
) -> Trained:
    """Train head, then (on request) the end of the base; or everything at once.

    Args:
        config: What to train.
        data: Images, labels and splits.
        base_weights: None trains the whole network from nothing.
        folder: The run folder; checkpoints go here.
        tensorboard: Write TensorBoard logs there.
        builder: Of the same configuration and weights, perhaps already started.
        device_names: What trains end to end, see `devices.chosen`.
    """
    import keras

    run = DetectorRun(folder)
    logs = keras.callbacks.TensorBoard
    with clock(run.clock_file):
        trained = _Training(
            config=config,
            data=data,
            base_weights=base_weights,
            run=run,
            callbacks=[logs(str(run.tensorboard_folder))] if tensorboard else [],
            builder=builder or NetworkBuilder(config, base_weights),
            device_names=device_names,
        ).train()
    trained.facts["train_seconds"] = round(spent_s(run.clock_file), 1)
    return trained


def train_baseline(config: BaselineConfig, data: Data) -> Trained:
    """Fit a baseline on the training images and rank the others.

    There are no epochs and no checkpoint; the pixels' cache is what a kill leaves.
    """
    started = time.monotonic()
    plugin = registry.load(baselines.ZOO, config.model.name)
    rows = data.readable("train")
    fitted: arrays.Arrays = plugin.fit(config, data.reader(rows), data.labels(rows))
    logits = data.by_split(
        lambda rows: plugin.logits(config, fitted, data.reader(rows), len(rows))
    )
    facts = {
        "engine": "scikit-learn",
        "train_seconds": round(time.monotonic() - started, 1),
        "parameters": int(sum(np.size(value) for value in fitted.values())),
    }
    return Trained(fitted, logits, [], facts)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Training:
    config: TrainConfig
    data: Data
    base_weights: BaseWeights | None
    run: DetectorRun
    callbacks: "list[keras.callbacks.Callback]"
    builder: NetworkBuilder
    device_names: str

    def train(self) -> Trained:
        config, whole = self.config, self.config.trains_whole(self.base_weights)
        end_to_end.check(config, self.base_weights, self.device_names)
        if whole:
            model = self.builder.get().model
            origin = "all trained" if self.base_weights else "trained from nothing"
            _log_size(model, origin)
            rows = self.data.readable("train")
            channel_layers.fit_scaling(model, self.data.reader(rows), len(rows))
            network.unfreeze_all(model)
            history, continued = self._train_on_images(model)
            facts: Json = {"engine": engines.keras_name()}
        else:
            model, history, logits, facts, embed = self._train_frozen()
            if config.unfreeze:
                count = network.freeze(model, config.unfreeze)
                logger.info("fine-tuning the last %d base layers with weights", count)
                more, continued = self._train_on_images(model)
                history += more
        if whole or config.unfreeze:
            facts["continued"] = continued
            reader = self.data.reader
            logits = self.data.by_split(lambda rows: image_logits(model, reader(rows)))
            embed = of_images(model, self.data)
        facts["parameters"] = model.count_params()
        return Trained(model, logits, history, facts, embed=embed)

    def _train_frozen(self) -> "tuple[keras.Model, Rows, Logits, Json, Embed]":
        """Train a head on features, which need no base where they are cached; join them."""
        assert self.base_weights is not None  # noqa: S101 - for the type checker
        config, data, builder = self.config, self.data, self.builder
        features = frozen_features(config, data, builder, self.base_weights)
        head, history = self._train_head(features)
        built = builder.get()
        model = built.model
        _log_size(model, "base frozen")
        own = model.get_layer("head")
        own.set_weights(head.get_weights())
        if config.model.head.standardize:
            own.get_layer("standardize").finalize_state()
        logits = data.by_split(
            lambda rows: head_logits(own, features.reader(data.keys(rows)))
        )
        # Traced once where several runs share the base: a comparison then costs little.
        extractor = built.extractor if builder.shared else None
        facts = {
            "engine": features.engine,
            "agreement": _agreement(model, data, logits["test"], extractor),
            "features_cached": features.n_cached,
        }
        return model, history, logits, facts, of_features(own, features, data)

    def _train_head(self, features: FeatureCache) -> "tuple[keras.Model, Rows]":
        config, data = self.config, self.data
        examples = examples_of(config, data, features)
        readers, labels = examples.train, examples.train_labels
        sources, head_config = examples.train_sources, config.model.head
        weights = data.weights(config.weight_column, data.readable("train"))
        head = network.build_head(examples.width, head_config, config.seed)
        prepare(head, head_config, readers, labels, sources)
        if head_config.solver == "discriminant":
            loss = discriminant.fit(head, head_config, readers, labels, sources)
            row = {"phase": "head", "epoch": 1, "loss": loss}
            val_logits = head_logits(head, examples.val)
            return head, [row | scores(examples.val_labels, val_logits)]
        phase = examples.phase(head, config, weights, callbacks=self.callbacks)
        return head, run_phase(phase, self.run.checkpoint_file(phase.name))

    def _train_on_images(self, model: "keras.Model") -> tuple[Rows, list[str]]:
        """Train through the base on images, augmented by layers in front of the model.

        Returns:
            The history, and what was continued by another backend or device.
        """
        config, data = self.config, self.data
        train, val = data.readable("train"), data.readable("val")
        names = devices.chosen(self.device_names)
        with devices.building(names):
            twin = end_to_end.twin_of(config, model, self.base_weights, names)
            augmented = end_to_end.augmented(twin, config)
        # Without laundering every epoch changes each image anew, by layers of the model.
        views = training_views(config, data, train)
        views = views if config.launder else views[:1]
        reads = [each.arrays.reader(each.keys) for each in views]
        val_pixels = partial(data.reader, val)

        def val_logits() -> NDArray[np.float64]:
            if len(names) == 1:
                return image_logits(twin, val_pixels())
            model.set_weights(twin.get_weights())
            with devices.apart():
                return image_logits(model, val_pixels())

        name = "scratch"
        if not config.trains_whole(self.base_weights):
            name = "fine_tune"
            config = dataclasses.replace(
                config,
                epochs=config.fine_tune_epochs,
                learning_rate=config.fine_tune_learning_rate,
            )
        phase = Phase(
            name=name,
            model=augmented,
            source=dataclasses.replace(
                source(
                    config,
                    data.labels(train),
                    reads,
                    data.sources(train),
                    data.weights(config.weight_column, train),
                ),
                change=changer(config.augment, config.seed),
                multiple=len(names),
            ),
            val_logits=val_logits,
            val_labels=data.labels(val),
            config=config,
            devices=names,
            computed_by=engines.keras_name(),
            callbacks=self.callbacks,
        )
        history = run_phase(phase, self.run.checkpoint_file(phase.name))
        if twin is not model:
            model.set_weights(twin.get_weights())
        return history, phase.continued


def _log_size(model: "keras.Model", state: str) -> None:
    logger.info("%s: %s parameters, %s", model.name, f"{model.count_params():,}", state)


def _agreement(
    model: "keras.Model",
    data: Data,
    logits: NDArray[np.float64],
    extractor: "keras.Model | None",
) -> float:
    """Return how far logits from cached features differ from the whole model's at most.

    A few test images are compared. Where the base is traced, as `extractor`, the head
    stays out: a trace would keep its standardisation as a constant.
    """
    positions = data.readable("test")[:_COMPARED_IMAGES]
    pixels = data.images.store.gather(data.keys(positions))
    if extractor is None:
        whole = engines.eagerly(model, pixels)[:, 0]
    else:
        features = extractor.predict_on_batch(pixels.astype(np.float32))
        head = model.get_layer("head")
        whole = np.asarray(head(features, training=False))[:, 0]
    difference = float(np.max(np.abs(whole - logits[: len(positions)])))
    logger.info("cached and end-to-end logits differ by at most %.1e", difference)
    return difference
