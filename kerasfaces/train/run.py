"""Make a run folder: every file of it, in order, resumable between and inside them."""

import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import arrays
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, read_json
from kerasfaces.run import training_images
from kerasfaces.run.folder import DetectorRun, RepeatedRuns, UnseenRun
from kerasfaces.run.repeats import combine
from kerasfaces.train import channels, protocol
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.training import Training, default_folder, identity, resolve

if TYPE_CHECKING:  # they import Keras
    from kerasfaces.models.weights import BaseWeights
    from kerasfaces.train.data import Data
    from kerasfaces.train.fit import Trained
    from kerasfaces.train.network_builder import NetworkBuilders

logger = logging.getLogger(__name__)
_AGREEMENT = 1e-2  # logits; engines agree in features to 1e-4


def train(training: Training, builders: "NetworkBuilders | None" = None) -> Path:
    """Train, evaluate and report; return the run folder.

    Several runs in one process share a frozen base by `builders`.

    Raises:
        RunError: The folder holds a run of another configuration.
        LockedError: Another process is writing the folder.
    """
    config, base_weights = resolve(training)
    recipe = channels.check(config, training.store)
    protocol.check(config, base_weights)
    decisive = identity(config, base_weights, training.manifest, recipe)
    if training.parent is not None:
        parent = training.parent
        decisive["parent"] = {
            "run": parent.name,
            "config": configs.digest(parent.config),
        }
    kind = UnseenRun if protocol.is_unseen(config) else DetectorRun
    run = kind(training.folder or default_folder(config, decisive))
    with run.writing(decisive):
        if run.is_finished:
            logger.info("%s is finished; nothing to do", run.path)
        else:
            _write(training, config, base_weights, run, recipe, builders)
    return run.path


def train_seeds(training: Training, repeat: int) -> Path:
    """Train `repeat` seeds as `RUN/seed-0 ...` and write their mean to `RUN/metrics.json`.

    Returns:
        The folder that holds the runs.
    """
    config, base_weights = resolve(training)
    recipe = channels.check(config, training.store)
    decisive = identity(config, base_weights, training.manifest, recipe)
    decisive |= {"repeat": repeat}
    runs = RepeatedRuns(training.folder or default_folder(config, decisive))
    if repeat < 1:
        raise InputError(f"`repeat`: expected at least 1, got {repeat}.")
    with runs.writing(decisive):
        pass  # the lock: each run takes its own
    seeds = list(range(config.seed, config.seed + repeat))
    for number, seed in enumerate(seeds, start=1):
        logger.info("seed %d (%d of %d)", seed, number, repeat)
        config = dataclasses.replace(training.config, seed=seed)
        folder = runs.seed(seed).path
        train(dataclasses.replace(training, config=config, folder=folder))
    runs.metrics = combine([runs.seed(seed).metrics for seed in seeds]) | {
        "seeds": seeds
    }
    return runs.path


def _write(
    training: Training,
    config: TrainConfig | BaselineConfig,
    base_weights: "BaseWeights | None",
    run: DetectorRun,
    recipe: Json | None,
    builders: "NetworkBuilders | None",
) -> None:
    from kerasfaces.evaluate import run as evaluation
    from kerasfaces.run.predictions import as_predictions

    run.describe_machine()
    manifest = run.keep_manifest(training.manifest)
    data, audit, trained = (
        _fit_baseline(training, config, manifest, run)
        if isinstance(config, BaselineConfig)
        else _fit_network(training, config, base_weights, manifest, run, builders)
    )
    run.input_spec = channels.input_spec(config, recipe, data.limits)
    run.training = trained.facts
    if recipe is None:
        at, files = data.readable("train"), manifest.files()
        run.training_images = training_images.describe(
            data.reader(at), [files[position] for position in at], config.seed
        )
        if trained.embed is not None:
            from kerasfaces.train.remembered import remember

            remember(run, trained.embed, data, config.seed)
    history = pd.DataFrame(trained.history)
    run.write_history(history)
    predictions = {}
    for split, logits in trained.logits.items():
        rows = data.rows[data.rows["split"] == split]
        reasons = [data.images.reasons[position] for position in rows.index]
        filled = np.full(len(rows), np.nan)
        filled[[not why for why in reasons]] = logits
        predictions[split] = as_predictions(rows, filled, reasons)
    evaluation.finish(
        run.path,
        predictions,
        config=run.config,
        environment=run.environment | {"training": trained.facts},
        history=history,
        audit=audit,
        warnings=[
            *training.notes,
            *trained.facts.get("continued", ()),
            *_cautions(config, base_weights, data, audit, trained.facts),
        ],
        image_root=manifest.folder,
        false_alarm_rate=config.false_alarm_rate,
        left_out=trained.left_out,
        parent=training.parent.path if training.parent else None,
    )


def _cautions(
    config: TrainConfig | BaselineConfig,
    base_weights: "BaseWeights | None",
    data: "Data",
    audit: Json | None,
    facts: Json,
) -> list[str]:
    """Return what a reader of the report must know first; each is logged as well.

    A flagged audit warns by itself.
    """
    lines, unreadable = data.leaks(), data.unreadable()
    if audit is None:
        lines.append(
            "The image files are not on this machine, only their channels: facts of the "
            "files that could give the classes away were not audited."
        )
    if n := len(unreadable):
        count = "1 image has" if n == 1 else f"{n} images have"
        more = " ..." if n > 5 else ""
        lines.append(f"{count} no score: {'; '.join(unreadable[:5])}{more}")
    if sentence := data.enlarged(config.input_spec):
        lines.append(sentence)
    if base_weights is not None and base_weights.kind == "file":
        lines.append(
            f"The base's weights come from {base_weights.path.name} (SHA-256 "
            f"{base_weights.sha256[:12]}), which `weights` names, not from their default "
            "download."
        )
    if base_weights is None and isinstance(config, TrainConfig):
        lines.append(f"The whole {config.model.name} was trained from random weights.")
    if facts.get("agreement", 0.0) > _AGREEMENT:
        lines.append(
            f"Logits from cached features and from the whole model differ by up to "
            f"{facts['agreement']:.1e}: later predictions may differ from this report."
        )
    for line in lines:
        logger.warning("%s", line)
    return lines


def _fit_baseline(
    training: Training,
    config: BaselineConfig,
    manifest: manifests.Manifest,
    run: DetectorRun,
) -> tuple["Data", Json | None, "Trained"]:
    from kerasfaces.train import data as datasets
    from kerasfaces.train import fit

    data = datasets.load(manifest, config.input_spec, spread=training.spread)
    audit = training.audit or run.keep_audit(manifest)
    trained = fit.train_baseline(config, data)
    arrays.write(run.arrays_file, trained.model)
    return data, audit, trained


def _fit_network(
    training: Training,
    config: TrainConfig,
    base_weights: "BaseWeights | None",
    manifest: manifests.Manifest,
    run: DetectorRun,
    builders: "NetworkBuilders | None",
) -> tuple["Data", Json | None, "Trained"]:
    from kerasfaces.features import devices
    from kerasfaces.train import data as datasets
    from kerasfaces.train import fit
    from kerasfaces.train.frozen_features import feature_cache, frozen_features
    from kerasfaces.train.network_builder import NetworkBuilder

    if training.devices:
        devices.chosen(training.devices)  # a name that is not there, before the work
    builder = (
        builders.get(config, base_weights)
        if builders
        else NetworkBuilder(config, base_weights)
    )
    spread = training.spread
    if training.store is None:
        data = datasets.load(manifest, config.input_spec, builder.start, spread)
    else:
        names = config.model.channel_names
        data = datasets.load_channels(manifest, training.store, names, spread)
    data.weights(config.weight_column, data.readable("train"))  # mistakes come first
    audit = training.audit or run.keep_audit(manifest)
    left_out = None
    if isinstance(run, UnseenRun) and base_weights is not None:
        features = frozen_features(config, data, builder, base_weights)
        weights, images, spread = base_weights, data.images.store, data.spread
        choice = protocol.choose(
            config,
            data,
            features,
            run,
            lambda chosen: feature_cache(
                chosen, images, NetworkBuilder(chosen, weights), weights, spread=spread
            ),
        )
        config, left_out = choice.config, choice.left_out
        builder = NetworkBuilder(config, base_weights)
        asked = read_json(run.path / run.IDENTITY)
        run.config = asked | {"train": configs.to_dict(config)}
    trained = fit.train(
        config,
        data,
        base_weights,
        run.path,
        training.tensorboard,
        builder,
        training.devices,
    )
    run.write_model(trained.model)
    return data, audit, dataclasses.replace(trained, left_out=left_out)
