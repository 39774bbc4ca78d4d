"""From stored channels to what a base can take: scaling, selection, the first layer.

Channels have their own units (grey levels, log amplitudes, radians); a base was trained
on images of 0..255, or on nothing.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops
from numpy.typing import NDArray

from kerasfaces.core.arrays import Read
from kerasfaces.core.errors import InputError

COLOURS = ("red", "green", "blue")
# Of Keras' preprocessed ImageNet pixels, averaged over the three channels.
IMAGENET_SD = {"mobilenetv2": 0.45, "resnet34": 1.0, "resnet50": 57.4}
_MIDDLE = 127.5
_FITTED_IMAGES = 2048
_BATCH = 32


@keras.saving.register_keras_serializable(package="kerasfaces")
class Standardize(layers.Layer):
    """Zero mean and unit deviation per channel, from `fit`; saved with the model.

    Unlike `keras.layers.Normalization` it works on its weights themselves, so setting
    them (a checkpoint, a half-precision twin) is enough.

    Args:
        untouched: Positions of channels that stay as they are.
    """

    constant = 1e-6  # what deviates less carries nothing and is only centred

    def __init__(self, untouched: Sequence[int] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.untouched = tuple(untouched)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the statistics; before `fit` they change nothing."""
        shape = self.statistics_shape(input_shape)
        self.mean = self.add_weight(
            name="mean", shape=shape, initializer="zeros", trainable=False
        )
        self.deviation = self.add_weight(
            name="deviation", shape=shape, initializer="ones", trainable=False
        )

    def statistics_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of mean and deviation: the input's last axes."""
        return (input_shape[-1],)

    def values(self, examples: NDArray[Any]) -> NDArray[np.float32]:
        """Return what a call gets of the examples that `fit` reads."""
        return examples.astype(np.float32)

    def call(self, values: KerasTensor) -> KerasTensor:
        """Return `(n, h, w, c)`, in standard deviations from the mean."""
        mean = ops.cast(self.mean, values.dtype)
        return (values - mean) / ops.cast(self.deviation, values.dtype)

    def fit(self, read: Read, count: int) -> None:
        """Set the statistics from `count` examples: at most 2,048, evenly spread.

        Raises:
            InputError: A value is not finite.
        """
        chosen = np.unique(
            np.linspace(0, count - 1, min(count, _FITTED_IMAGES)).astype(np.int64)
        )
        total = np.zeros(self.mean.shape, np.float64)
        squares, n = total.copy(), 0
        for start in range(0, len(chosen), _BATCH):
            part = self.values(read(chosen[start : start + _BATCH]))
            flat = part.reshape(-1, *self.mean.shape)
            total += flat.sum(axis=0, dtype=np.float64)
            squares += np.square(flat).sum(axis=0, dtype=np.float64)
            n += len(flat)
        mean = total / n
        deviation = np.sqrt(np.maximum(squares / n - np.square(mean), 0.0))
        if not np.isfinite(deviation).all():
            bad = np.flatnonzero(~np.isfinite(deviation)).tolist()
            raise InputError(
                f"Training data of input channels {bad} holds values that are not finite; "
                "check the store (kerasfaces channels verify STORE)."
            )
        deviation[deviation < self.constant] = 1.0
        mean[..., list(self.untouched)] = 0.0
        deviation[..., list(self.untouched)] = 1.0
        self.mean.assign(mean.astype(np.float32))
        self.deviation.assign(deviation.astype(np.float32))


@keras.saving.register_keras_serializable(package="kerasfaces")
class ToPixels(layers.Layer):
    """Signed values -> 0..255 around the middle, as an ImageNet base expects them.

    `clip(127.5 + gain * value, 0, 255)`: what lies beyond `127.5 / gain` saturates, as it
    would in an image. Colour channels pass unchanged.

    Args:
        names: Of the channels.
        gain: Grey levels per unit of value.
    """

    def __init__(self, names: Sequence[str], gain: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.names, self.gain = tuple(names), gain

    def call(self, values: KerasTensor) -> KerasTensor:
        """Return `(n, h, w, c)`, 0..255."""
        colour = [name in COLOURS for name in self.names]
        gains = np.where(colour, 1.0, self.gain).astype(np.float32)
        offsets = np.where(colour, 0.0, _MIDDLE).astype(np.float32)
        gain = ops.convert_to_tensor(gains, dtype=values.dtype)
        offset = ops.convert_to_tensor(offsets, dtype=values.dtype)
        return ops.clip(values * gain + offset, 0.0, 255.0)


@keras.saving.register_keras_serializable(package="kerasfaces")
class Select(layers.Layer):
    """Some channels, in a given order; by slices, which are faster than a gather.

    Args:
        positions: Of the channels to keep; repetitions are fine.
    """

    def __init__(self, positions: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.positions = tuple(positions)

    def call(self, values: KerasTensor) -> KerasTensor:
        """Map `(n, h, w, c)` to `(n, h, w, len(positions))`."""
        parts = [values[..., start:end] for start, end in runs_of(self.positions)]
        return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


def runs_of(positions: Sequence[int]) -> list[tuple[int, int]]:
    """Return half-open ranges that together list `positions` in order.

    Example:
        >>> runs_of([2, 3, 4, 0])
        [(2, 5), (0, 1)]
    """
    runs: list[tuple[int, int]] = []
    for position in positions:
        if runs and runs[-1][1] == position:
            runs[-1] = (runs[-1][0], position + 1)
        else:
            runs.append((position, position + 1))
    return runs


def inflate(narrow: keras.Model, wide: keras.Model, scale: float = 1.0) -> None:
    """Copy all weights of a 3-channel base into its twin with `c` input channels.

    The first convolution's kernels become their mean over red, green and blue, times
    3/c: `c` equal channels give what three equal ones gave (Carreira and Zisserman 2017,
    arXiv 1705.07750, inflate over time in the same way).

    Args:
        narrow: The base with weights, 3 input channels.
        wide: The same architecture with `c` input channels.
        scale: Deviation of the inputs the weights were made for; ours have deviation 1.
    """
    first = True
    for source, target in zip(narrow.layers, wide.layers, strict=True):
        values = source.get_weights()
        if first and values:
            channels = target.weights[0].shape[2]
            mean = values[0].mean(axis=2, keepdims=True)
            values[0] = np.repeat(mean * (scale * 3 / channels), channels, axis=2)
            first = False
        target.set_weights(values)


def projection(seed: int, scale: float = 1.0) -> layers.Layer:
    """Return a learned 1×1 convolution to three channels, of a deviation near `scale`."""
    start = keras.initializers.VarianceScaling(scale**2, mode="fan_in", seed=seed)
    return layers.Conv2D(
        3, 1, use_bias=False, kernel_initializer=start, name="project_to_3"
    )


def scaling_of(model: keras.Model) -> dict[str, list[float]] | None:
    """Return a model's fitted input statistics; None where it has none."""
    for layer in model.layers:
        if isinstance(layer, Standardize):
            mean, deviation = layer.get_weights()
            return {"mean": mean.tolist(), "deviation": deviation.tolist()}
    return None


def fit_scaling(model: keras.Model, read: Read, count: int) -> None:
    """Fit a model's input statistics on training data; models without any are left."""
    for layer in model.layers:
        if isinstance(layer, Standardize):
            layer.fit(read, count)
