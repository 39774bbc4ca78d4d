"""One trial: a configuration's head, trained with every seed by `train`'s own loop."""

import dataclasses
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, atomic_path, write_json
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.heads import Heads, head_logits
from kerasfaces.train.loop import run_phase
from kerasfaces.train.phase import Phase, Rows
from kerasfaces.train.unseen import Examples, Unseen, auc_unseen, families_of
from kerasfaces.train.views import source
from kerasfaces.tune.feature_sets import FeatureSet, FeatureSets
from kerasfaces.tune.records import checkpoint_of
from kerasfaces.tune.study import UNSEEN, column_of
from kerasfaces.tune.trial_results import Repeat, Result, Training

_PROGRESS_S = 1.0  # between two notes of a running trial


class Trainer:
    """Trains heads one after another; graphs and features are used again."""

    def __init__(self, feature_sets: FeatureSets) -> None:
        """Take what trials read."""
        self._feature_sets, self._heads = feature_sets, Heads()

    def train(self, training: Training) -> Result:
        """Train a head with every seed; a candidate's own failure is a result too.

        Seeds after one that the median rule stopped are left out.

        Raises:
            KerasfacesError: The data cannot be used, which is wrong for every trial.
        """
        started = time.monotonic()
        with ExitStack() as stack:
            folder = training.folder
            if not folder.is_dir():  # another machine's
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._feature_sets.data(training.config)
            repeats: Sequence[Repeat] = ()
            message = ""
            try:
                repeats = self._repeats(training, folder)
            except InputError as error:
                message = str(error)
            except MemoryError:
                message = "Memory ran out."
            except Exception as error:
                if type(error).__name__ != "ResourceExhaustedError":
                    raise
                message = f"Memory ran out: {str(error).partition(chr(10))[0]}"
            checkpoints = {
                seed: checkpoint_of(folder, seed).read_bytes()
                for seed in training.seeds
                if folder != training.folder and checkpoint_of(folder, seed).exists()
            }
        return Result(
            repeats=repeats,
            message=message,
            seconds=time.monotonic() - started,
            checkpoints=checkpoints,
        )

    def _repeats(self, training: Training, folder: Path) -> list[Repeat]:
        _check(training.config)
        features = self._feature_sets.features(training.config)
        progress = _Progress(training, folder)
        repeats: list[Repeat] = []
        for number, seed in enumerate(training.seeds):
            config = dataclasses.replace(training.config, seed=seed)
            checkpoint = checkpoint_of(folder, seed)
            if seed in training.checkpoints and not checkpoint.exists():
                with atomic_path(checkpoint) as temporary:
                    temporary.write_bytes(training.checkpoints[seed])

            def stop(rows: Rows, number: int = number) -> bool:
                progress.note(number, rows[-1])
                return number == 0 and _is_hopeless(rows, training)

            started = time.monotonic()
            phase = self._phase(
                config,
                features,
                callbacks=_tensorboard(training, number),
                epochs_now=training.epochs_now,
                stop=stop,
                keep=training.epochs_now is not None,
            )
            rows = run_phase(phase, checkpoint)
            stopped = bool(rows[-1].pop("stopped", False))
            best = best_epoch(rows, config.patience)
            is_last_seed = number + 1 == len(training.seeds)
            nothing_lost = is_last_seed and _is_over(rows, best, config)
            logits = head_logits(phase.model, features.val)
            weights, aucs = phase.model.get_weights(), None
            if training.objective == UNSEEN:
                judged = self._unseen(config, features)
                known = np.isfinite(judged.logits)
                logits, aucs = np.where(known, judged.logits, logits), judged.aucs
            repeats.append(
                Repeat(
                    seed=seed,
                    rows=rows,
                    best=best,
                    logits=logits.astype(np.float32),
                    weights=weights,
                    unseen=aucs,
                    seconds=time.monotonic() - started,
                    stopped=stopped and not nothing_lost,
                    engine=features.engine,
                )
            )
            if stopped:
                break
        return repeats

    def _unseen(self, config: TrainConfig, features: FeatureSet) -> Unseen:
        examples = Examples(
            train=features.train,
            train_labels=features.train_labels,
            train_sources=features.train_sources,
            train_families=features.train_families,
            val=features.val,
            val_labels=features.val_labels,
            val_families=features.val_families,
            engine=features.engine,
        )
        families, _ = families_of(*examples.fakes)
        return auc_unseen(config, examples, families, self._heads)

    def _phase(self, config: TrainConfig, features: FeatureSet, **more: Any) -> Phase:
        steps = -(-len(features.train_labels) // config.batch_size)
        ready = self._heads.get(features.width, config, steps)
        return Phase(
            name="head",
            model=ready.model,
            source=source(
                config, features.train_labels, features.train, features.train_sources
            ),
            val_logits=lambda: head_logits(ready.model, features.val),
            val_labels=features.val_labels,
            config=config,
            inputs_by=features.engine,
            ready=ready.epochs,
            **more,
        )


def best_epoch(rows: Rows, patience: int | None) -> int:
    """Return the position of the epoch whose weights training keeps."""
    if patience is None:
        return len(rows) - 1
    return min(range(len(rows)), key=lambda i: rows[i]["val_loss"])


def _is_over(rows: Rows, best: int, config: TrainConfig) -> bool:
    """Tell whether a training would have ended at its last epoch anyway."""
    waited = len(rows) - 1 - best
    impatient = config.patience is not None and waited >= config.patience
    return impatient or len(rows) >= config.epochs


def _is_hopeless(rows: Rows, training: Training) -> bool:
    """Tell whether the median rule stops a trial: its best value is beyond the limit."""
    if not training.limits:
        return False
    limit = training.limits[min(len(rows), len(training.limits)) - 1]
    if limit is None:
        return False
    best = max(training.sign * float(row[training.objective]) for row in rows)
    return best < training.sign * limit


def _check(config: TrainConfig) -> None:
    """Refuse what heads that are built once for many trials do not have."""
    head = config.model.head
    unusual = {
        "optimizer": config.optimizer != "adam",
        "schedule": config.schedule == "plateau",
        "train_base": config.train_base,
        "model.head.batch_norm": head.batch_norm,
        "model.head.output": head.output != "logit",
        "model.head.solver": head.solver != "gradient",
    }
    for name, is_set in unusual.items():
        if is_set:
            raise InputError(
                f"{name}: a study trains plain heads on frozen bases by Adam, with a "
                "constant or cosine schedule; set it to its default in the study."
            )


def _tensorboard(training: Training, number: int) -> list[Any]:
    """Return the callbacks that write KerasTuner's folder per training."""
    if not training.tensorboard:
        return []
    import keras
    from tensorboard.plugins.hparams import api

    logs = training.folder.parent / "tensorboard" / training.trial_id
    folder = str(logs / f"execution{number}")
    values = {str(name): value for name, value in training.values.items()}
    return [
        keras.callbacks.TensorBoard(folder),
        api.KerasCallback(writer=folder, hparams=values, trial_id=training.trial_id),
    ]


class _Progress:
    """Writes now and then how far a trial is into `progress.json`."""

    def __init__(self, training: Training, folder: Path) -> None:
        self._training, self._folder = training, folder
        self._started = self._last = time.monotonic()
        self._n_trained = 0  # epochs; a continued trial's first ones were not

    def note(self, number: int, row: Json) -> None:
        """Count an epoch of the n-th training (from 0)."""
        self._n_trained += 1
        now = time.monotonic()
        if now - self._last < _PROGRESS_S:
            return
        self._last = now
        training = self._training
        progress = {
            "repeat": number + 1,
            "repeats": len(training.seeds),
            "epoch": row["epoch"],
            "epochs": training.epochs_now or training.config.epochs,
            "value": float(row[column_of(training.objective)]),
            "trained": self._n_trained,
            "seconds": round(now - self._started, 1),
        }
        write_json(self._folder / "progress.json", progress)
