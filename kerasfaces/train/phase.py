"""A training phase and its state between epochs, in memory and in a checkpoint."""

import dataclasses
import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core import arrays
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json
from kerasfaces.dataset.batches import Source
from kerasfaces.train.compiled import Epochs
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

_CHECKPOINT_EVERY_S = 5.0
_THRESHOLD = 1e-4  # torch's: a relative gain below it is none
Rows = list[Json]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """What to train and on what."""

    name: str  # `head`, `fine_tune` or `scratch`
    model: "keras.Model"  # a Keras model; its inputs are what `source` reads
    source: Source  # training examples
    # Computes the validation logits, `(m,)`.
    val_logits: Callable[[], NDArray[np.float64]]
    val_labels: NDArray[np.float32]  # `(m,)`, 1 = fake
    config: TrainConfig  # epochs, batch size, optimizer, schedule, patience, seed
    # Engine that made the inputs; a checkpoint of another one is not used.
    inputs_by: str = ""
    # Backend and device that train the network itself; a checkpoint of another one is
    # continued, and `continued` says so.
    computed_by: str = ""
    # Receives a sentence per change of `computed_by`.
    continued: list[str] = dataclasses.field(default_factory=list)
    # Those that train, by `devices.chosen`; empty is the backend's first.
    devices: tuple[str, ...] = ()
    callbacks: "Sequence[keras.callbacks.Callback]" = ()  # more Keras callbacks, e.g. TensorBoard.
    # Pause after so many epochs; the checkpoint then continues.
    epochs_now: int | None = None
    # Gets all rows after each epoch; true ends training there, and the last row says
    # `stopped`.
    stop: Callable[[Rows], bool] | None = None
    # The traced epochs of a model that is compiled, its optimizer reset.
    ready: Epochs | None = None
    keep: bool = True  # save the finished state too; false leaves that to the caller


@dataclasses.dataclass
class Plateau:
    """When to lower the learning rate: torch's `ReduceLROnPlateau` in its default mode."""

    factor: float  # what the rate is multiplied by
    patience: int  # so many epochs without a better loss are forgiven
    best: float = math.inf  # the lowest validation loss so far
    waited: int = 0  # epochs since

    def factor_after(self, val_loss: float) -> float:
        """Return what to multiply the learning rate by after an epoch; mostly 1."""
        if val_loss < self.best * (1 - _THRESHOLD):
            self.best, self.waited = val_loss, 0
            return 1.0
        self.waited += 1
        if self.waited <= self.patience:
            return 1.0
        self.waited = 0
        return self.factor


class PhaseState:
    """State of a phase between epochs, on disk and off."""

    def __init__(self, phase: Phase, path: Path | None) -> None:
        self.phase, self.config, self.path = phase, phase.config, path
        self.rows: Rows = []
        self.best_loss = math.inf
        self.best: list[NDArray[np.float32]] = []
        self.waited = 0
        self.plateau = Plateau(self.config.plateau_factor, self.config.plateau_patience)
        self.finished = False
        self._saved_at = time.monotonic()

    @property
    def exhausted(self) -> bool:
        """Whether the last epoch was the last: killed there, nothing more is trained."""
        now = self.phase.epochs_now
        return self._complete or (now is not None and len(self.rows) >= now)

    @property
    def _complete(self) -> bool:
        patience = self.config.patience
        return (
            bool(self.rows and self.rows[-1].get("stopped"))
            or len(self.rows) >= self.config.epochs
            or (patience is not None and self.waited >= patience)
        )

    def end_epoch(self, loss: float) -> bool:
        """Validate, remember, save now and then; True when training should stop."""
        phase, model = self.phase, self.phase.model
        row: Json = {"phase": phase.name, "epoch": len(self.rows) + 1}
        row |= {"loss": loss} | scores(phase.val_labels, phase.val_logits())
        val_loss = row["val_loss"]
        if not (math.isfinite(loss) and math.isfinite(val_loss)):
            raise InputError(
                f"Training diverged in epoch {row['epoch']} of {phase.name} (loss {loss}, "
                f"validation loss {val_loss}); lower the learning rate, now "
                f"{self.config.learning_rate}."
            )
        self.rows.append(row)
        if self.config.patience is not None:
            self.waited += 1
            if val_loss < self.best_loss:
                self.best_loss, self.waited = val_loss, 0
                self.best = model.get_weights()
        if self.config.schedule == "plateau":
            rate = model.optimizer.learning_rate
            rate.assign(rate * self.plateau.factor_after(val_loss))
        if phase.stop is not None and phase.stop(self.rows):
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
        import keras

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
        to_numpy = keras.ops.convert_to_numpy
        values = {f"v{i}": to_numpy(each) for i, each in enumerate(self._variables())}
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
            if state["inputs_by"] != self.phase.inputs_by:
                logger.warning(
                    "%s was trained on features by %s, and here they are by %s: training "
                    "starts over",
                    self.path,
                    state["inputs_by"],
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

    def _compare_backends(self, state: Json) -> None:
        """Say so where a finished or half-trained network came from another backend."""
        phase = self.phase
        phase.continued.extend(state["continued"])
        before = state["computed_by"]
        if before and before != phase.computed_by and not self.finished:
            sentence = (
                f"Training ({phase.name}) began with {before} and went on after epoch "
                f"{len(self.rows)} with {phase.computed_by}: it cannot be repeated exactly."
            )
            phase.continued.append(sentence)
            logger.warning("%s", sentence)

    def _variables(self) -> "list[keras.Variable]":
        model = self.phase.model
        return [*model.variables, *model.optimizer.variables]


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
