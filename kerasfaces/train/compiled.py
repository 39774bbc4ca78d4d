"""An epoch of a small model inside one compiled function.

A head's step takes less time than calling it. Keras' `fit` still pays for its callbacks,
metrics and input pipeline; here batches are slices of a tensor, and the loop over them is
part of the graph. Only for TensorFlow; other backends train heads with `fit`.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerasfaces.dataset.batches import Source

if TYPE_CHECKING:
    import keras
    from tensorflow import Tensor

_CHUNK_BYTES = 256 * 2**20  # of inputs handed to the graph at a time


class Epochs:
    """Epochs of one model, traced once; sources and seeds may change between them.

    Order, batches and arithmetic are those of `model.fit(stream(source, ...))`.

    Args:
        model: A Keras model whose `optimizer` is set and built.
        loss: A Keras loss; penalties of the model's layers are added to it.
        width: Features per example.
        batch_size: Examples per step.
    """

    def __init__(
        self, model: "keras.Model", loss: "keras.Loss", width: int, batch_size: int
    ) -> None:
        self._steps = _steps(model, loss, width, batch_size)
        self._chunk = batch_size * max(1, _CHUNK_BYTES // (4 * width * batch_size))

    def train(self, source: Source, seed: int, epoch: int) -> float:
        """Train one epoch (from 0) in the order of `seed` and return its mean loss."""
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


def _steps(
    model: "keras.Model", loss: "keras.Loss", width: int, batch_size: int
) -> "Callable[[Tensor, Tensor, Tensor], Tensor]":
    import tensorflow as tf

    variables = model.trainable_variables
    update = _update(model.optimizer, variables)

    def step(inputs: "Tensor", labels: "Tensor", weights: "Tensor") -> "Tensor":
        with tf.GradientTape() as tape:
            logits = model(inputs, training=True)
            value = loss(labels, logits, sample_weight=weights)
            value = tf.add_n([value, *model.losses])
        update(tape.gradient(value, variables))
        return value * tf.cast(tf.shape(inputs)[0], tf.float32)

    @tf.function(
        autograph=False,  # nothing to rewrite, and half of the tracing time
        input_signature=[tf.TensorSpec(s) for s in ((None, width), (None, 1), (None,))],
    )
    def steps(inputs: "Tensor", labels: "Tensor", weights: "Tensor") -> "Tensor":
        def body(start: "Tensor", total: "Tensor") -> "tuple[Tensor, Tensor]":
            part = slice(start, start + batch_size)
            return start + batch_size, total + step(
                inputs[part], labels[part], weights[part]
            )

        count = tf.shape(inputs)[0]
        return tf.while_loop(lambda start, _: start < count, body, (0, 0.0))[1]

    # Traced now: TensorFlow warns where many functions are traced by being called.
    traced: Callable[[Tensor, Tensor, Tensor], Tensor] = steps.get_concrete_function()
    return traced


def _update(
    optimizer: "keras.Optimizer", variables: "Sequence[keras.Variable]"
) -> "Callable[[Sequence[Tensor]], None]":
    """Return what applies gradients: for Adam TensorFlow's one operation per variable.

    Keras writes Adam as a dozen operations per variable, which take a third of a head's
    step; the arithmetic is the same. It offers no other way to Adam's own variables.
    """
    import keras
    import tensorflow as tf

    plain = (
        type(optimizer) is keras.optimizers.Adam
        and not (optimizer.amsgrad or optimizer.weight_decay or optimizer.use_ema)
        and not (optimizer.clipnorm or optimizer.clipvalue)
        and not (optimizer.global_clipnorm or optimizer.loss_scale_factor)
        and not optimizer.gradient_accumulation_steps
    )
    moments = [getattr(optimizer, name, []) for name in ("_momentums", "_velocities")]
    if not plain or [len(part) for part in moments] != [len(variables)] * 2:
        return lambda gradients: optimizer.apply(gradients, variables)

    def apply(gradients: "Sequence[Tensor]") -> None:
        step = tf.cast(optimizer.iterations.value + 1, tf.float32)
        powers = [tf.pow(beta, step) for beta in (optimizer.beta_1, optimizer.beta_2)]
        # A property evaluates a schedule at the present iteration.
        rate = tf.cast(optimizer.learning_rate, tf.float32)
        for variable, m, v, gradient in zip(
            variables, *moments, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.value.handle,
                m=m.value.handle,
                v=v.value.handle,
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=rate,
                beta1=optimizer.beta_1,
                beta2=optimizer.beta_2,
                epsilon=optimizer.epsilon,
                grad=gradient,
            )
        optimizer.iterations.assign_add(1)

    return apply
