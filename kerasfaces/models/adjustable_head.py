"""A head whose dropout and L2 are variables: one traced graph serves many settings.

Tracing a head's training step costs more than training it on a few hundred images. The
numbers are those of `network.build_head`: same initial weights, same dropout masks,
standardised inputs (the caller standardises and erases, once for all heads).
"""

import dataclasses
from typing import Any

import keras
from keras import KerasTensor, layers, ops

from kerasfaces.core.files import Json
from kerasfaces.models.config import HeadConfig
from kerasfaces.models.layers import Shape
from kerasfaces.models.network import build_head


class AdjustableDropout(layers.Layer):
    """Dropout with its rate in a variable."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = self.add_weight(shape=(), trainable=False, name="rate")
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs: KerasTensor, training: bool = False) -> KerasTensor:
        """Return `(n, width)`, a share of it zero while training."""
        if not training:
            return inputs
        draw = keras.random.uniform(ops.shape(inputs), seed=self.seed_generator)
        mask = ops.cast(draw >= self.rate, inputs.dtype)
        return inputs * mask / (1.0 - self.rate)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input's shape."""
        return input_shape


class AdjustableL2(keras.regularizers.Regularizer):
    """The sum of squares times a variable."""

    def __init__(self) -> None:
        self.l2 = keras.Variable(0.0, trainable=False, name="l2")

    def __call__(self, x: KerasTensor) -> KerasTensor:
        """Return the penalty of one kernel."""
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> Json:
        """Return nothing: the strength is a variable."""
        return {}


class AdjustableHead:
    """A head and its knobs.

    Attributes:
        model: `(n, n_features)` float32, standardised if the head is to be -> `(n, 1)`.
    """

    def __init__(self, n_features: int, config: HeadConfig) -> None:
        """Build the layers of `config`; `set` gives them numbers."""
        self._penalty = AdjustableL2()
        plain = build_head(
            n_features, dataclasses.replace(config, standardize=False, erase=0)
        )
        self.model = keras.models.clone_model(plain, clone_function=self._adjustable)

    def _adjustable(self, layer: layers.Layer) -> layers.Layer:
        if isinstance(layer, layers.Dropout):
            return AdjustableDropout(name=layer.name)
        settings = layer.get_config()
        if settings.get("kernel_regularizer"):
            settings["kernel_regularizer"] = self._penalty
        return type(layer).from_config(settings)

    def set(self, config: HeadConfig, seed: int) -> None:
        """Make it the head that `build_head(n_features, config, seed)` returns."""
        self._penalty.l2.assign(config.l2)
        dropout = [x for x in self.model.layers if isinstance(x, AdjustableDropout)]
        for i, layer in enumerate(dropout, start=1 if config.units else 0):
            layer.rate.assign(config.dropout)
            layer.seed_generator.state.assign([seed + i, 0])
        dense = [x for x in self.model.layers if isinstance(x, layers.Dense)]
        random = config.units or not config.standardize
        for i, layer in enumerate(dense, start=1):
            last = layer is dense[-1]
            start = keras.initializers.GlorotUniform(seed=seed if last else seed + i)
            if last and not random:
                start = keras.initializers.Zeros()
            layer.kernel.assign(start(layer.kernel.shape, dtype=layer.kernel.dtype))
            layer.bias.assign(ops.zeros_like(layer.bias))
