"""A head whose dropout and L2 are variables: one traced graph serves many settings.

Tracing a head's training step costs more than training it on a few hundred images. The
numbers are those of `network.build_head`: same initial weights, same dropout masks, standardised
inputs (the caller standardises, once for all heads).
"""

import dataclasses
from typing import Any

import keras
from keras import layers, ops

from kerasfaces.models.config import HeadConfig


class AdjustableDropout(layers.Layer):
    """Dropout with its rate in a variable.

    Call arguments:
        inputs: `(n, width)` float.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = self.add_weight(shape=(), trainable=False, name="rate")
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return `(n, width)`, a share of it zero while training."""
        if not training:
            return inputs
        draw = keras.random.uniform(ops.shape(inputs), seed=self.seed_generator)
        kept = ops.cast(draw >= self.rate, inputs.dtype)
        return inputs * kept / (1.0 - self.rate)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape


class AdjustableL2(keras.regularizers.Regularizer):
    """The sum of squares times a variable."""

    def __init__(self) -> None:
        self.l2 = keras.Variable(0.0, trainable=False, name="l2")

    def __call__(self, x: Any) -> Any:
        """Return the penalty of one kernel."""
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        """Return nothing: the strength is a variable."""
        return {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shape:
    """What decides the graph; heads of one shape differ only in variables.

    Attributes:
        n_features: Width of the input.
        units: Widths of the hidden layers.
        dropout: Whether there is any.
        l2: Whether there is any.
    """

    n_features: int
    units: tuple[int, ...]
    dropout: bool
    l2: bool

    @classmethod
    def of(cls, n_features: int, config: HeadConfig) -> "Shape":
        """Return the shape of a head."""
        return cls(
            n_features=n_features,
            units=config.units,
            dropout=bool(config.dropout),
            l2=bool(config.l2),
        )


class AdjustableHead:
    """A head and its knobs.

    Attributes:
        model: `(n, n_features)` float32, standardised if the head is to be -> `(n, 1)`.
    """

    def __init__(self, shape: Shape) -> None:
        """Build the layers; `set` makes a certain head of them."""
        self._penalty = AdjustableL2() if shape.l2 else None
        self._dense: list[Any] = []
        self._dropout: list[Any] = []
        features = keras.Input((shape.n_features,), name="features")
        x = features
        if shape.dropout and not shape.units:
            x = self._drop(x)
        for width in shape.units:
            x = self._add(width, "relu")(x)
            if shape.dropout:
                x = self._drop(x)
        logit = self._add(1, None)(x)
        self.model = keras.Model(features, logit, name="head")

    def set(self, config: HeadConfig, seed: int) -> None:
        """Make it the head that `network.build_head(n_features, config, seed)` returns."""
        if self._penalty is not None:
            self._penalty.l2.assign(config.l2)
        first = 1 if config.units else 0
        for i, layer in enumerate(self._dropout, start=first):
            layer.rate.assign(config.dropout)
            layer.seed_generator.state.assign([seed + i, 0])
        *hidden, last = self._dense
        for i, layer in enumerate(hidden, start=1):
            self._start(layer, keras.initializers.GlorotUniform(seed=seed + i))
        random = config.units or not config.standardize
        self._start(
            last,
            keras.initializers.GlorotUniform(seed=seed)
            if random
            else keras.initializers.Zeros(),
        )

    def _add(self, width: int, activation: str | None) -> Any:
        self._dense.append(
            layers.Dense(width, activation=activation, kernel_regularizer=self._penalty)
        )
        return self._dense[-1]

    def _drop(self, x: Any) -> Any:
        self._dropout.append(AdjustableDropout())
        return self._dropout[-1](x)

    def _start(self, layer: Any, kernel: Any) -> None:
        layer.kernel.assign(kernel(layer.kernel.shape, dtype=layer.kernel.dtype))
        layer.bias.assign(ops.zeros_like(layer.bias))
