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


def epochs(
    model: Any, loss: Any, source: Source, batch_size: int, seed: int
) -> Callable[[int], float]:
    """Return a function that trains one epoch and returns its mean loss.

    Order, batches and arithmetic are those of `model.fit(stream(source, ...))`.

    Args:
        model: A compiled-for-training Keras model: its `optimizer` is set and built.
        loss: A Keras loss; penalties of the model's layers are added to it.
        source: Training examples with inputs `(n, features)` float32.
        batch_size: Examples per step.
        seed: Of the order.
    """
    import tensorflow as tf

    variables, optimizer = model.trainable_variables, model.optimizer
    width = source.batch(0, np.zeros(1, np.int64))[0].shape[1]

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

    batches = max(1, _CHUNK_BYTES // (4 * width * batch_size))

    def train(epoch: int) -> float:
        order = source.order(seed, epoch)
        total = 0.0
        for start in range(0, len(order), batches * batch_size):
            chunk = order[start : start + batches * batch_size]
            total += float(steps(*source.batch(epoch, chunk)))
        return total / len(order)

    return train
