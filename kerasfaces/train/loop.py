"""One training phase that can be killed at any moment.

Keras' `fit` with one callback that does what must be exact together: validation by
NumPy, early stopping with its best weights, and a checkpoint of everything that decides
the rest of the run (weights, optimizer, dropout's counters, history). Keras' own
BackupAndRestore forgets EarlyStopping's best.
"""

import contextlib
import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core import arrays
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.progress import progress
from kerasfaces.dataset.batches import steps_per_epoch, stream
from kerasfaces.features import devices
from kerasfaces.train.phase import Phase
from kerasfaces.train.plateau import Plateau

logger = logging.getLogger(__name__)

__all__ = ["Phase", "run_phase", "scores"]

_CHECKPOINT_EVERY_S = 5.0


def run_phase(phase: Phase, checkpoint: Path | None) -> list[dict[str, Any]]:
    """Train to the end, continuing from `checkpoint` if there is one.

    Args:
        phase: What to train.
        checkpoint: Where to keep the state; None keeps nothing.

    Returns:
        One row per epoch: phase, epoch, loss, val_loss, val_auc, val_accuracy, best, and
        `stopped` in the last one where `phase.stop` ended it.

    Raises:
        InputError: The loss is not finite.
        RunError: The checkpoint is damaged.
    """
    import keras

    steps = steps_per_epoch(phase.source, phase.batch_size)
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if phase.ready is None:
        with (
            devices.building(phase.devices)
            if phase.devices
            else contextlib.nullcontext()
        ):
            _compile(phase, steps, on_tensorflow)
    training = _Progress(phase, checkpoint)
    training.restore()
    if not training.finished and not training.exhausted:
        with progress(phase.epochs, f"training ({phase.name})", "epoch") as add:
            add(len(training.rows))
            # Keras' callbacks need Keras' loop.
            if phase.name == "head" and on_tensorflow and _is_plain(phase):
                _compiled_epochs(phase, training, add)
            else:
                _fit(phase, training, add, steps)
    if not training.finished:
        training.finish()
    return training.rows


def _is_plain(phase: Phase) -> bool:
    """Tell whether a head needs nothing that only Keras' own loop does."""
    import keras

    norm = keras.layers.BatchNormalization
    return not phase.callbacks and not any(
        isinstance(layer, norm) for layer in phase.model.layers
    )


def _compile(phase: Phase, steps: int, on_tensorflow: bool) -> None:
    import keras

    rate: Any = phase.learning_rate
    if phase.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, phase.epochs * steps)
    phase.model.compile(
        optimizer=keras.optimizers.SGD(rate, phase.momentum)
        if phase.optimizer == "sgd"
        else keras.optimizers.Adam(rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        # XLA compiles MobileNetV2's depthwise convolutions ten times slower on CPUs.
        jit_compile=False if on_tensorflow else "auto",
    )
    phase.model.optimizer.build(phase.model.trainable_variables)


def _compiled_epochs(
    phase: Phase, progress: "_Progress", add: Callable[[int], None]
) -> None:
    from kerasfaces.train import compiled

    epochs = phase.ready or compiled.Epochs(
        phase.model,
        phase.model.loss,
        compiled.width_of(phase.source),
        phase.batch_size,
    )
    while not progress.exhausted:
        epoch = len(progress.rows)
        progress.end_epoch(epochs.train(phase.source, phase.seed, epoch))
        add(1)


def _fit(
    phase: Phase, progress: "_Progress", add: Callable[[int], None], steps: int
) -> None:
    batches = stream(phase.source, phase.batch_size, phase.seed, len(progress.rows))
    with contextlib.ExitStack() as stack:
        if phase.devices:
            stack.enter_context(devices.memory(phase.batch_size))
            stack.enter_context(devices.training(phase.devices))
        phase.model.fit(
            batches,
            steps_per_epoch=steps,
            initial_epoch=len(progress.rows),
            epochs=phase.epochs,
            verbose=0,
            shuffle=False,
            callbacks=[_callback(progress, add), *phase.callbacks],
        )


class _Progress:
    """State of a phase between epochs, on disk and off."""

    def __init__(self, phase: Phase, path: Path | None) -> None:
        self.phase, self.path = phase, path
        self.rows: list[dict[str, Any]] = []
        self.best_loss = math.inf
        self.best: list[NDArray[Any]] = []
        self.waited = 0
        self.plateau = Plateau(phase.plateau_factor, phase.plateau_patience)
        self.finished = False
        self._saved_at = time.monotonic()

    @property
    def exhausted(self) -> bool:
        """Whether the last epoch was the last: killed there, nothing more is trained."""
        now = self.phase.epochs_now
        return self._complete or (now is not None and len(self.rows) >= now)

    @property
    def _complete(self) -> bool:
        patience = self.phase.patience
        return (
            bool(self.rows and self.rows[-1].get("stopped"))
            or len(self.rows) >= self.phase.epochs
            or (patience is not None and self.waited >= patience)
        )

    def end_epoch(self, loss: float) -> bool:
        """Validate, remember, save now and then; True when training should stop."""
        row: dict[str, Any] = {
            "phase": self.phase.name,
            "epoch": len(self.rows) + 1,
            "loss": loss,
        }
        row |= _validate(self.phase)
        if not (math.isfinite(loss) and math.isfinite(row["val_loss"])):
            raise InputError(
                f"Training diverged in epoch {row['epoch']} of {self.phase.name} (loss {loss}, "
                f"validation loss {row['val_loss']}); lower the learning rate, now "
                f"{self.phase.learning_rate}."
            )
        self.rows.append(row)
        patience = self.phase.patience
        if patience is not None:
            if row["val_loss"] < self.best_loss:
                self.best_loss, self.waited = row["val_loss"], 0
                self.best = self.phase.model.get_weights()
            else:
                self.waited += 1
        if self.phase.schedule == "plateau":
            rate = self.phase.model.optimizer.learning_rate
            rate.assign(rate * self.plateau.factor_after(row["val_loss"]))
        if self.phase.stop is not None and self.phase.stop(self.rows):
            row["stopped"] = True
        if time.monotonic() - self._saved_at > _CHECKPOINT_EVERY_S:
            self.save()
        return self.exhausted

    def finish(self) -> None:
        """Take the best epoch's weights and mark the phase as done, or as paused."""
        complete = self._complete
        if not complete:
            self.save()  # the last epoch's weights: those to go on with
        if self.best:
            self.phase.model.set_weights(self.best)
        self.finished = complete
        if complete and self.phase.keep:
            self.save()

    def save(self) -> None:
        """Write everything that decides what comes next."""
        if self.path is None:
            return
        state = {
            "rows": self.rows,
            "best_loss": self.best_loss,
            "waited": self.waited,
            "finished": self.finished,
            "plateau": [self.plateau.best, self.plateau.waited],
            "inputs_by": self.phase.inputs_by,
            "computed_by": self.phase.computed_by,
            "continued": self.phase.continued,
        }
        values = {f"v{i}": value for i, value in enumerate(self._values())}
        values |= {f"b{i}": value for i, value in enumerate(self.best)}
        values["state"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
        arrays.write(self.path, values)
        self._saved_at = time.monotonic()

    def restore(self) -> None:
        """Read the checkpoint, if there is one."""
        if self.path is None or not self.path.exists():
            return
        advice = "delete it and run again: training starts over, features are kept"
        values = arrays.read(self.path, advice)
        try:
            state = json.loads(values.pop("state").tobytes())
            before = state["inputs_by"]
            if before != self.phase.inputs_by:
                logger.warning(
                    "%s was trained on features by %s, and here they are by %s: training "
                    "starts over",
                    self.path,
                    before,
                    self.phase.inputs_by,
                )
                return
            self.rows, self.waited = state["rows"], state["waited"]
            self.best_loss, self.finished = state["best_loss"], state["finished"]
            self._compare_backends(state)
            self.plateau.best, self.plateau.waited = state["plateau"]
            n_best = sum(key.startswith("b") for key in values)
            self.best = [values[f"b{i}"] for i in range(n_best)]
            for i, variable in enumerate(self._variables()):
                variable.assign(values[f"v{i}"])
        except (ValueError, KeyError) as error:
            raise RunError(f"{self.path} is damaged ({error}); {advice}.") from error

    def _compare_backends(self, state: dict[str, Any]) -> None:
        """Say so where a finished or half-trained network came from another backend."""
        phase = self.phase
        phase.continued.extend(state["continued"])
        before = state["computed_by"]
        if before and before != phase.computed_by and not self.finished:
            said = (
                f"Training ({phase.name}) began with {before} and went on after epoch "
                f"{len(self.rows)} with {phase.computed_by}: it cannot be repeated exactly."
            )
            phase.continued.append(said)
            logger.warning("%s", said)

    def _variables(self) -> list[Any]:
        model = self.phase.model
        return [*model.variables, *model.optimizer.variables]

    def _values(self) -> list[NDArray[Any]]:
        import keras

        return [keras.ops.convert_to_numpy(variable) for variable in self._variables()]


def _callback(progress: _Progress, add: Callable[[int], None]) -> Any:
    import keras

    class Epochs(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            stop = progress.end_epoch(float((logs or {})["loss"]))
            if logs is not None:  # for TensorBoard
                logs |= {
                    k: v for k, v in progress.rows[-1].items() if k.startswith("val_")
                }
            self.model.stop_training = stop
            add(1)

    return Epochs()


def _validate(phase: Phase) -> dict[str, float]:
    return scores(phase.val_labels, phase.val_logits())


def scores(
    labels: NDArray[np.float32], logits: NDArray[np.float64]
) -> dict[str, float]:
    """Return val_loss (mean cross-entropy), val_auc and val_accuracy (at logit 0).

    Args:
        labels: `(m,)`, 1 = fake.
        logits: `(m,)`; all three are NaN where one is not finite.
    """
    labels = labels.astype(np.float64)
    if not np.isfinite(logits).all():
        return {"val_loss": math.nan, "val_auc": math.nan, "val_accuracy": math.nan}
    loss = float(np.mean(np.logaddexp(0.0, logits) - labels * logits))
    return {
        "val_loss": loss,
        "val_auc": metrics.auc(labels, logits),
        "val_accuracy": float(np.mean((logits > 0) == (labels > 0.5))),
    }
