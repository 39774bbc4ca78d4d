"""What one training phase is told: `loop.py` runs it."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.dataset.batches import Source

if TYPE_CHECKING:
    from kerasfaces.train.compiled import Epochs

Logits = Callable[[], NDArray[np.float64]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """What to train and on what.

    Attributes:
        name: `head`, `fine_tune` or `scratch`.
        model: A Keras model; its inputs are what `source` reads.
        source: Training examples.
        val_logits: Computes the validation logits, `(m,)`.
        val_labels: `(m,)`, 1 = fake.
        epochs: At most.
        batch_size: Images per step.
        learning_rate: At the start.
        schedule: See `TrainConfig`.
        patience: See `TrainConfig`.
        seed: Of the batch order.
        inputs_by: Engine that made the inputs; a checkpoint of another one is not used.
        computed_by: Backend and device that train the network itself; a checkpoint of
            another one is continued, and `continued` says so.
        continued: Receives a sentence per change of `computed_by`.
        devices: Those that train, by `devices.chosen`; empty is the backend's first.
        callbacks: More Keras callbacks, e.g. TensorBoard.
        epochs_now: Pause after so many epochs; the checkpoint then continues.
        stop: Is told all rows after each epoch; true ends training there, and the last
            row says `stopped`.
        ready: The model is compiled, its optimizer reset, and its epochs traced: these.
        keep: Save the finished state too; false leaves that to the caller.
        optimizer: See `TrainConfig`.
        momentum: See `TrainConfig`.
        plateau_factor: See `TrainConfig`.
        plateau_patience: See `TrainConfig`.
    """

    name: str
    model: Any
    source: Source
    val_logits: Logits
    val_labels: NDArray[np.float32]
    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str
    patience: int | None
    seed: int
    inputs_by: str = ""
    computed_by: str = ""
    continued: list[str] = dataclasses.field(default_factory=list)
    devices: tuple[str, ...] = ()
    callbacks: Sequence[Any] = ()
    epochs_now: int | None = None
    stop: Callable[[list[dict[str, Any]]], bool] | None = None
    ready: "Epochs | None" = None
    keep: bool = True
    optimizer: str = "adam"
    momentum: float = 0.9
    plateau_factor: float = 0.5
    plateau_patience: int = 3
