"""One trial: a configuration's head, trained with every seed by `train`'s own loop."""

import dataclasses
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import atomic_path
from kerasfaces.train import fit
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.heads import Heads, head_logits
from kerasfaces.train.loop import Phase, run_phase
from kerasfaces.tune.feature_sets import FeatureSet, FeatureSets
from kerasfaces.tune.median_rule import is_hopeless
from kerasfaces.tune.records import checkpoint_of, write_progress
from kerasfaces.tune.trainings import Repeat, Result, Training

Rows = list[dict[str, Any]]

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
            checkpoints = {}
            if folder != training.folder:
                paths = {seed: checkpoint_of(folder, seed) for seed in training.seeds}
                checkpoints = {
                    seed: path.read_bytes()
                    for seed, path in paths.items()
                    if path.exists()
                }
        return Result(
            repeats=repeats,
            message=message,
            seconds=time.monotonic() - started,
            checkpoints=checkpoints,
        )

    def _repeats(self, training: Training, folder: Path) -> list[Repeat]:
        config = training.config
        _check(config)
        features = self._feature_sets.features(config)
        progress = _Progress(training, folder)
        repeats: list[Repeat] = []
        for number, seed in enumerate(training.seeds):
            one = dataclasses.replace(config, seed=seed)
            checkpoint = checkpoint_of(folder, seed)
            if seed in training.checkpoints and not checkpoint.exists():
                with atomic_path(checkpoint) as temporary:
                    temporary.write_bytes(training.checkpoints[seed])

            def stop(rows: Rows, number: int = number) -> bool:
                progress.note(number, rows[-1])
                values = [float(row[training.objective]) for row in rows]
                return number == 0 and is_hopeless(
                    values, training.limits, training.sign
                )

            callbacks = _tensorboard(training, number)
            phase = self._phase(one, features, training.epochs_now, callbacks, stop)
            repeat = _train(phase, checkpoint, features, one)
            if repeat.stopped:
                cut = number + 1 < len(training.seeds) or not _is_over(repeat, one)
                repeat = dataclasses.replace(repeat, stopped=cut)
                return [*repeats, repeat]
            repeats.append(repeat)
        return repeats

    def _phase(
        self,
        config: TrainConfig,
        features: FeatureSet,
        epochs_now: int | None,
        callbacks: list[Any],
        stop: Callable[[Rows], bool],
    ) -> Phase:
        steps = -(-len(features.train_labels) // config.batch_size)
        ready = self._heads.get(features.width, config, steps)
        return Phase(
            name="head",
            model=ready.model,
            source=fit.source(config, features.train_labels, features.train),
            val_logits=lambda: head_logits(ready.model, features.val),
            val_labels=features.val_labels,
            config=config,
            inputs_by=features.engine,
            callbacks=callbacks,
            epochs_now=epochs_now,
            stop=stop,
            ready=ready.epochs,
            keep=epochs_now is not None,
        )


def best_epoch(rows: Sequence[dict[str, Any]], patience: int | None) -> int:
    """Return the position of the epoch whose weights training keeps."""
    if patience is None:
        return len(rows) - 1
    return min(range(len(rows)), key=lambda i: rows[i]["val_loss"])


def _train(
    phase: Phase, checkpoint: Path, features: FeatureSet, config: TrainConfig
) -> Repeat:
    started = time.monotonic()
    rows = run_phase(phase, checkpoint)
    stopped = bool(rows[-1].pop("stopped", False))
    return Repeat(
        seed=config.seed,
        rows=rows,
        best=best_epoch(rows, config.patience),
        logits=head_logits(phase.model, features.val).astype(np.float32),
        weights=phase.model.get_weights(),
        seconds=time.monotonic() - started,
        stopped=stopped,
        engine=features.engine,
    )


def _is_over(repeat: Repeat, config: TrainConfig) -> bool:
    """Tell whether a training would have ended at its last epoch anyway."""
    waited = len(repeat.rows) - 1 - repeat.best
    impatient = config.patience is not None and waited >= config.patience
    return impatient or len(repeat.rows) >= config.epochs


def _check(config: TrainConfig) -> None:
    """Refuse what heads that are built once for many trials do not have."""
    head = config.model.head
    unusual = {
        "optimizer": config.optimizer != "adam",
        "schedule": config.schedule == "plateau",
        "train_base": config.train_base,
        "model.head.batch_norm": head.batch_norm,
        "model.head.output": head.output != "logit",
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
    """Writes now and then how far a trial is."""

    def __init__(self, training: Training, folder: Path) -> None:
        self._training, self._folder = training, folder
        self._started = self._last = time.monotonic()
        self._n_trained = 0

    def note(self, number: int, row: dict[str, Any]) -> None:
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
            "value": float(row[training.objective]),
            "trained": self._n_trained,
            "seconds": round(now - self._started, 1),
        }
        write_progress(self._folder, progress)
