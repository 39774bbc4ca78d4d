"""An epoch of a small model inside one compiled function.

A head's step takes less time than calling it. Keras' `fit` still pays for its callbacks,
metrics and input pipeline; here batches are slices of a tensor, and the loop over them is
part of the graph. Only for TensorFlow; other backends train heads with `fit`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from kerasfaces.dataset.batches import Source

_CHUNK_BYTES = 256 * 2**20  # of inputs handed to the graph at a time


class Epochs:
    """Epochs of one model, traced once; sources and seeds may change between them.

    Order, batches and arithmetic are those of `model.fit(stream(source, ...))`.
    """

    def __init__(self, model: Any, loss: Any, width: int, batch_size: int) -> None:
        """Trace nothing yet.

        Args:
            model: A compiled-for-training Keras model: its `optimizer` is set and built.
            loss: A Keras loss; penalties of the model's layers are added to it.
            width: Features per example.
            batch_size: Examples per step.
        """
        self._steps = _steps(model, loss, width, batch_size)
        self._chunk = batch_size * max(1, _CHUNK_BYTES // (4 * width * batch_size))

    def train(self, source: Source, seed: int, epoch: int) -> float:
        """Train one epoch and return its mean loss.

        Args:
            source: Training examples with inputs `(n, width)` float32.
            seed: Of the order.
            epoch: From 0.
        """
        order = source.order(seed, epoch)
        total = 0.0
        for start in range(0, len(order), self._chunk):
            chunk = order[start : start + self._chunk]
            total += float(self._steps(*source.batch(epoch, chunk)))
        return total / len(order)


def width_of(source: Source) -> int:
    """Return the number of features of a source's examples."""
    width: int = source.batch(0, np.zeros(1, np.int64))[0].shape[1]
    return width


def _steps(model: Any, loss: Any, width: int, batch_size: int) -> Callable[..., Any]:
    import tensorflow as tf

    variables, optimizer = model.trainable_variables, model.optimizer

    def step(inputs: Any, labels: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = model(inputs, training=True)
            value = loss(labels, logits, sample_weight=weights)
            value = tf.add_n([value, *model.losses])
        optimizer.apply(tape.gradient(value, variables), variables)
        return value * tf.cast(tf.shape(inputs)[0], tf.float32)

    @tf.function(
        autograph=False,  # nothing to rewrite, and half of the tracing time
        input_signature=[tf.TensorSpec(s) for s in ((None, width), (None, 1), (None,))],
    )
    def steps(inputs: Any, labels: Any, weights: Any) -> Any:
        def body(start: Any, total: Any) -> Any:
            part = slice(start, start + batch_size)
            return start + batch_size, total + step(
                inputs[part], labels[part], weights[part]
            )

        count = tf.shape(inputs)[0]
        return tf.while_loop(lambda start, _: start < count, body, (0, 0.0))[1]

    traced: Callable[..., Any] = steps
    return traced
