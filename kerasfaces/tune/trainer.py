"""One trial: a configuration's head, trained with every seed by `train`'s own loop."""

import dataclasses
import math
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import atomic_path
from kerasfaces.train import fit
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.heads import Heads
from kerasfaces.train.loop import Phase, run_phase
from kerasfaces.tune.material import Features, Material
from kerasfaces.tune.records import Repeat

Report = Callable[[list[dict[str, Any]]], bool]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """How much of a training to do now.

    Attributes:
        folder: The trial's, for checkpoints.
        epochs_now: Pause after so many epochs; None trains to the end.
        parent: Folder of the trial to continue; None starts anew.
        report: Told the first seed's rows after each of its epochs; true ends the trial.
        said: Told each epoch: which training it is (from 0), and the history's row.
    """

    folder: Path
    epochs_now: int | None = None
    parent: Path | None = None
    report: Report | None = None
    said: Callable[[int, dict[str, Any]], None] | None = None


class Trainer:
    """Trains heads one after another; graphs and features are used again."""

    def __init__(self, material: Material) -> None:
        """Take what trials read."""
        self._material, self._heads = material, Heads()

    def train(
        self,
        config: TrainConfig,
        seeds: Sequence[int],
        part: Part,
        callbacks: Callable[[int], list[Any]] = lambda execution: [],
    ) -> list[Repeat]:
        """Train a head with every seed.

        Args:
            config: What to train; its own seed does not matter.
            seeds: One training each; those after a stopped one are left out.
            part: How much of it.
            callbacks: Returns the Keras callbacks of the n-th training.

        Raises:
            InputError: The candidate cannot be trained, or diverged.
        """
        features = self._material.features(config)
        repeats: list[Repeat] = []
        for number, seed in enumerate(seeds):
            one = dataclasses.replace(config, seed=seed)
            repeats.append(self._train(one, features, part, callbacks(number), number))
            if repeats[-1].stopped:
                lost = number + 1 < len(seeds) or not _is_over(repeats[-1], one)
                repeats[-1] = dataclasses.replace(repeats[-1], stopped=lost)
                break
        return repeats

    def _train(
        self,
        config: TrainConfig,
        features: Features,
        part: Part,
        callbacks: list[Any],
        number: int,
    ) -> Repeat:
        _check(config)
        started = time.monotonic()
        source = fit.source(config, features.train_labels, features.train)
        steps = -(-len(features.train_labels) // config.batch_size)
        ready = self._heads.get(
            features.width,
            config.model.head,
            seed=config.seed,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            cosine_steps=config.epochs * steps if config.schedule == "cosine" else None,
        )
        checkpoint = part.folder / f"checkpoint-{config.seed}.npz"
        _continue(part.parent, checkpoint)

        def stop(rows: list[dict[str, Any]]) -> bool:
            if part.said:
                part.said(number, rows[-1])
            return bool(part.report and number == 0 and part.report(rows))

        phase = Phase(
            name="head",
            model=ready.model,
            source=source,
            val_logits=lambda: fit.head_logits(ready.model, features.val),
            val_labels=features.val_labels,
            epochs=config.epochs,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            schedule=config.schedule,
            patience=config.patience,
            seed=config.seed,
            inputs_by=features.engine,
            callbacks=callbacks,
            epochs_now=part.epochs_now,
            stop=stop,
            ready=ready.epochs,
            keep=part.epochs_now is not None,
        )
        rows = run_phase(phase, checkpoint)
        stopped = bool(rows[-1].pop("stopped", False))
        return Repeat(
            seed=config.seed,
            rows=rows,
            kept=kept_epoch(rows, config.patience),
            logits=fit.head_logits(ready.model, features.val).astype(np.float32),
            weights=ready.model.get_weights(),
            seconds=time.monotonic() - started,
            stopped=stopped,
            engine=features.engine,
        )


def _check(config: TrainConfig) -> None:
    """Refuse what heads that are built once for many trials do not have."""
    head = config.model.head
    odd = {
        "optimizer": config.optimizer != "adam",
        "schedule": config.schedule == "plateau",
        "train_base": config.train_base,
        "model.head.batch_norm": head.batch_norm,
        "model.head.output": head.output != "logit",
    }
    for name, found in odd.items():
        if found:
            raise InputError(
                f"{name}: a study trains plain heads on frozen bases by Adam, with a "
                "constant or cosine schedule; set it to its default in the study."
            )


def kept_epoch(rows: Sequence[dict[str, Any]], patience: int | None) -> int:
    """Return the position of the epoch whose weights training keeps."""
    if patience is None:
        return len(rows) - 1
    best, at = math.inf, 0
    for i, row in enumerate(rows):
        if row["val_loss"] < best:
            best, at = row["val_loss"], i
    return at


def _is_over(repeat: Repeat, config: TrainConfig) -> bool:
    """Tell whether a training would have ended at its last epoch anyway."""
    waited = len(repeat.rows) - 1 - repeat.kept
    impatient = config.patience is not None and waited >= config.patience
    return impatient or len(repeat.rows) >= config.epochs


def _continue(parent: Path | None, checkpoint: Path) -> None:
    """Start from another trial's state, unless there is one of our own."""
    if parent is None or checkpoint.exists():
        return
    source = parent / checkpoint.name
    if source.exists():  # else it is trained from the start: the same numbers, later
        with atomic_path(checkpoint) as temporary:
            shutil.copyfile(source, temporary)
