"""Heads used again and again: built and traced once per shape, set anew for each training.

A head's first step is traced in half a second, its ten epochs on 500 images take a
tenth. Settings that do not change the graph (learning rate, schedule, dropout, L2, seed)
are variables. Only for TensorFlow; elsewhere every head is built anew.
"""

import dataclasses
import gc
from collections import OrderedDict
from typing import Any

from kerasfaces.models.adjustable_head import AdjustableHead, Shape
from kerasfaces.models.config import HeadConfig
from kerasfaces.train.compiled import Epochs

_KEPT = 16  # shapes; a graph takes a few megabytes


@dataclasses.dataclass(frozen=True)
class ReadyHead:
    """A head as `network.build_head` makes it, compiled, and its epochs.

    Attributes:
        model: Standardised features `(n, n_features)` -> logit `(n, 1)`.
        epochs: Trains it; give it to `Phase.ready`.
    """

    model: Any
    epochs: Epochs


class Heads:
    """Keeps the last shapes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Shape, int], _Traced] = OrderedDict()

    def get(
        self,
        n_features: int,
        config: HeadConfig,
        *,
        seed: int,
        batch_size: int,
        learning_rate: float,
        cosine_steps: int | None,
    ) -> ReadyHead:
        """Return an untrained head; the one of the same shape given before is gone.

        Args:
            n_features: Width of the input.
            config: The head.
            seed: Of its initial weights and dropout.
            batch_size: Images per step.
            learning_rate: Adam's, at the start.
            cosine_steps: Steps after which it has fallen to zero; None keeps it.
        """
        key = (Shape.of(n_features, config), batch_size)
        if key not in self._kept:
            while len(self._kept) >= _KEPT:
                self._kept.popitem(last=False)
                gc.collect()
            self._kept[key] = _Traced(*key)
        self._kept.move_to_end(key)
        found = self._kept[key]
        found.set(config, seed, learning_rate, cosine_steps)
        return ReadyHead(found.head.model, found.epochs)


class _Traced:
    def __init__(self, shape: Shape, batch_size: int) -> None:
        import keras

        self.head = AdjustableHead(shape)
        self._rate = _schedule()
        model = self.head.model
        model.compile(
            optimizer=keras.optimizers.Adam(self._rate),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
            jit_compile=False,
        )
        model.optimizer.build(model.trainable_variables)
        self.epochs = Epochs(model, model.loss, shape.n_features, batch_size)

    def set(
        self, config: HeadConfig, seed: int, rate: float, cosine_steps: int | None
    ) -> None:
        from keras import ops

        self.head.set(config, seed)
        self._rate.start.assign(rate)
        self._rate.steps.assign(0.0 if cosine_steps is None else float(cosine_steps))
        for variable in self.head.model.optimizer.variables:
            variable.assign(ops.zeros_like(variable))


def _schedule() -> Any:
    import keras
    from keras import ops

    class Rate(keras.optimizers.schedules.LearningRateSchedule):
        """Constant, or CosineDecay to zero, as its variables say."""

        def __init__(self) -> None:
            self.start = keras.Variable(0.0, trainable=False, name="start")
            self.steps = keras.Variable(0.0, trainable=False, name="steps")

        def __call__(self, step: Any) -> Any:
            share = ops.minimum(
                ops.cast(step, "float32") / ops.maximum(self.steps.value, 1.0), 1.0
            )
            falling = 0.5 * (1.0 + ops.cos(3.141592653589793 * share))
            return self.start * ops.where(self.steps.value > 0.0, falling, 1.0)

        def get_config(self) -> dict[str, Any]:
            return {}  # TensorBoard draws the model from its configuration

    return Rate()
