"""One training phase that can be killed at any moment.

Keras' `fit` with one callback that does what must be exact together: validation by
NumPy, early stopping with its best weights, and a checkpoint of everything that decides
the rest of the run (weights, optimizer, dropout's counters, history). Keras' own
BackupAndRestore forgets EarlyStopping's best, its ReduceLROnPlateau everything.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from kerasfaces.core.progress import progress
from kerasfaces.dataset.batches import steps_per_epoch, stream
from kerasfaces.features import devices
from kerasfaces.train.compiled import Epochs, width_of
from kerasfaces.train.phase import Phase, PhaseState, Rows

logger = logging.getLogger(__name__)


def run_phase(phase: Phase, checkpoint: Path | None) -> Rows:
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

    steps = steps_per_epoch(phase.source, phase.config.batch_size)
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if phase.ready is None:
        with devices.building(phase.devices):
            _compile(phase, steps, on_tensorflow)
    training = PhaseState(phase, checkpoint)
    training.restore()
    if not training.finished and not training.exhausted:
        with progress(phase.config.epochs, f"training ({phase.name})", "epoch") as add:
            add(len(training.rows))
            # Keras' callbacks and batch normalisation need Keras' loop.
            norm = keras.layers.BatchNormalization
            plain = not phase.callbacks and not any(
                isinstance(layer, norm) for layer in phase.model.layers
            )
            if phase.name == "head" and on_tensorflow and plain:
                _compiled_epochs(phase, training, add)
            else:
                _fit(phase, training, add, steps)
    if not training.finished:
        training.finish()
    return training.rows


def _compile(phase: Phase, steps: int, on_tensorflow: bool) -> None:
    import keras

    config = phase.config
    rate: float | keras.optimizers.schedules.LearningRateSchedule = config.learning_rate
    if config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, config.epochs * steps)
    phase.model.compile(
        optimizer=keras.optimizers.SGD(rate, config.momentum)
        if config.optimizer == "sgd"
        else keras.optimizers.Adam(rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        # XLA compiles MobileNetV2's depthwise convolutions ten times slower on CPUs.
        jit_compile=False if on_tensorflow else "auto",
    )
    phase.model.optimizer.build(phase.model.trainable_variables)


def _compiled_epochs(
    phase: Phase, training: "PhaseState", add: Callable[[int], None]
) -> None:
    epochs = phase.ready or Epochs(
        phase.model, phase.model.loss, width_of(phase.source), phase.config.batch_size
    )
    while not training.exhausted:
        epoch = len(training.rows)
        training.end_epoch(epochs.train(phase.source, phase.config.seed, epoch))
        add(1)


def _fit(
    phase: Phase, training: "PhaseState", add: Callable[[int], None], steps: int
) -> None:
    import keras

    class EndOfEpoch(keras.callbacks.Callback):
        def on_epoch_end(
            self, epoch: int, logs: dict[str, float] | None = None
        ) -> None:
            logs = {} if logs is None else logs
            self.model.stop_training = training.end_epoch(float(logs["loss"]))
            row = training.rows[-1]  # for TensorBoard
            logs |= {key: row[key] for key in row if key.startswith("val_")}
            add(1)

    config, done = phase.config, len(training.rows)
    with devices.memory(config.batch_size), devices.training(phase.devices):
        phase.model.fit(
            stream(phase.source, config.batch_size, config.seed, done),
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=config.epochs,
            verbose=0,
            shuffle=False,
            callbacks=[EndOfEpoch(), *phase.callbacks],
        )
