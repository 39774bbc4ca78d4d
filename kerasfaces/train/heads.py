"""Heads on features: standardised, used again, asked for logits.

A head's first step is traced in half a second, its ten epochs on 500 images take a
tenth. Settings that do not change the graph (learning rate, schedule, dropout, L2, seed)
are variables here, so that a head is built and traced once per shape and set anew for
each training. Only for TensorFlow; elsewhere every head is built anew.
"""

import dataclasses
import gc
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.features.readers import Reader, Rows
from kerasfaces.models import erasure
from kerasfaces.models.adjustable_head import AdjustableHead
from kerasfaces.models.config import HeadConfig
from kerasfaces.train.compiled import Epochs
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:
    import keras

_CHUNK = 4096
# A feature that varies less than this on training data carries nothing.
_CONSTANT = 1e-2
_MAX_SHAPES = 16  # a graph takes a few megabytes


def moments(
    readers: Sequence[Reader],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and variance of each feature over views, `(n_features,)`; 1 where constant."""
    total = np.zeros(readers[0].shape, np.float64)
    squares, count = total.copy(), 0
    for reader in readers:
        for part in _chunks(reader):
            exact = part.astype(np.float64)
            total += exact.sum(axis=0)
            squares += np.square(exact).sum(axis=0)
            count += len(exact)
    mean = total / count
    variance = np.maximum(squares / count - np.square(mean), 0.0)
    variance[variance < _CONSTANT**2] = 1.0
    return mean.astype(np.float32), variance.astype(np.float32)


def prepare(
    head: "keras.Model",
    config: HeadConfig,
    readers: Sequence[Reader],
    labels: NDArray[np.float32],
    sources: Sequence[str],
) -> None:
    """Set what a head takes from its training features before it is trained.

    Args:
        head: As `network.build_head` returns it.
        config: Of the head.
        readers: One per view: positions `(m,)` -> `(m, n_features)`.
        labels: `(m,)`, 1 = fake.
        sources: `(m,)` names.
    """
    if not config.standardize:
        return
    mean, variance = moments(readers)
    layer = head.get_layer("standardize")
    layer.adapt_mean.assign(mean)
    layer.adapt_variance.assign(variance)
    layer.finalize_state()
    if config.erase:
        erased = erased_directions(
            readers, labels, sources, (mean, variance), config.erase
        )
        head.get_layer("erase").directions.assign(erased)


def erased_directions(
    readers: Sequence[Reader],
    labels: NDArray[np.float32],
    sources: Sequence[str],
    known: tuple[NDArray[np.float32], NDArray[np.float32]],
    count: int,
) -> NDArray[np.float32]:
    """Return in which directions the means of the real sources differ most.

    Features are those of `prepare`, `known` mean and variance that standardise them. The
    directions are orthonormal, `(n_features, count)`; columns that are not needed are zero.
    """
    mean, variance = known
    names = np.array(sources, dtype=object)
    means = []
    for source in sorted(set(names[labels == 0])):
        rows = np.flatnonzero((labels == 0) & (names == source))
        own, _ = moments([Rows(reader, rows) for reader in readers])
        means.append((own - mean) / np.sqrt(variance))
    return erasure.directions(means, count)


def head_logits(head: "keras.Model", reader: Reader) -> NDArray[np.float64]:
    """Return a head's logits of all of a reader's features, `(n,)`."""
    import keras

    parts = [
        keras.ops.convert_to_numpy(head(part, training=False))[:, 0]
        for part in _chunks(reader)
    ]
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)


def _chunks(reader: Reader) -> Iterator[NDArray[np.float32]]:
    """Yield all of a reader's features; an array is valid until the next is asked for."""
    for start in range(0, len(reader), _CHUNK):
        yield reader(np.arange(start, min(start + _CHUNK, len(reader))))


def unusual_setting(config: TrainConfig) -> str:
    """Return the first setting that no traced head is trained by; empty without one."""
    head = config.model.head
    unusual = {
        "optimizer": config.optimizer != "adam",
        "schedule": config.schedule == "plateau",
        "train_base": config.train_base,
        "model.head.batch_norm": head.batch_norm,
        "model.head.output": head.output != "logit",
        "model.head.solver": head.solver != "gradient",
    }
    return next((name for name, is_set in unusual.items() if is_set), "")


@dataclasses.dataclass(frozen=True)
class ReadyHead:
    """A head as `network.build_head` makes it, compiled, and its epochs."""

    model: "keras.Model"  # standardised features `(n, n_features)` -> logit `(n, 1)`
    epochs: Epochs  # trains it; give it to `Phase.ready`


class Heads:
    """Keeps the last shapes."""

    def __init__(self) -> None:
        self._traced: OrderedDict[tuple[object, ...], _TracedHead] = OrderedDict()

    def get(self, n_features: int, config: TrainConfig, steps: int) -> ReadyHead:
        """Return an untrained head; the one of the same shape returned before is gone.

        Args:
            n_features: Width of the input.
            config: Head, seed, batch size, Adam's learning rate and its schedule.
            steps: Per epoch.

        Raises:
            InputError: The head erases directions, which are another training's own.
        """
        head = config.model.head
        if head.erase:
            raise InputError(
                "head.erase: the heads of a study share their features and cannot each "
                "leave out directions; leave it out, or train the detector by itself."
            )
        shape = (n_features, head.units, bool(head.dropout), bool(head.l2))
        key = (*shape, config.batch_size)
        if key not in self._traced:
            while len(self._traced) >= _MAX_SHAPES:
                self._traced.popitem(last=False)
                gc.collect()
            self._traced[key] = _TracedHead(n_features, head, config.batch_size)
        self._traced.move_to_end(key)
        return self._traced[key].set(config, steps)


class _TracedHead:
    def __init__(self, n_features: int, config: HeadConfig, batch_size: int) -> None:
        import keras

        self._head, self._rate = AdjustableHead(n_features, config), _schedule()
        model = self._head.model
        model.compile(
            optimizer=keras.optimizers.Adam(self._rate),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
            jit_compile=False,
        )
        model.optimizer.build(model.trainable_variables)
        self._epochs = Epochs(model, model.loss, n_features, batch_size)

    def set(self, config: TrainConfig, steps: int) -> ReadyHead:
        from keras import ops

        self._head.set(config.model.head, config.seed)
        cosine = config.schedule == "cosine"
        self._rate.start.assign(config.learning_rate)
        self._rate.steps.assign(float(config.epochs * steps) if cosine else 0.0)
        for variable in self._head.model.optimizer.variables:
            variable.assign(ops.zeros_like(variable))
        return ReadyHead(self._head.model, self._epochs)


def _schedule() -> "keras.optimizers.schedules.LearningRateSchedule":
    import keras
    from keras import ops

    class Rate(keras.optimizers.schedules.LearningRateSchedule):
        """Constant, or CosineDecay to zero, as its variables say."""

        def __init__(self) -> None:
            self.start = keras.Variable(0.0, trainable=False, name="start")
            self.steps = keras.Variable(0.0, trainable=False, name="steps")

        def __call__(self, step: "keras.KerasTensor") -> "keras.KerasTensor":
            share = ops.minimum(
                ops.cast(step, "float32") / ops.maximum(self.steps.value, 1.0), 1.0
            )
            falling = 0.5 * (1.0 + ops.cos(3.141592653589793 * share))
            return self.start * ops.where(self.steps.value > 0.0, falling, 1.0)

        def get_config(self) -> Json:
            return {}  # TensorBoard draws the model from its configuration

    return Rate()
