"""Stores -> shuffled, prefetched batches: one Python call per batch, none per image.

The order of epoch `e` depends on (seed, e) alone, so training that was killed continues
with exactly the batches it would have seen. TensorFlow reads through tf.data; under
another Keras backend the same batches come as a `keras.utils.PyDataset`.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng

if TYPE_CHECKING:
    import tensorflow as tf

Read = Callable[[NDArray[Any]], NDArray[Any]]
Batch = tuple[NDArray[Any], NDArray[np.float32], NDArray[np.float32]]
Change = Callable[[NDArray[Any], int, NDArray[Any]], NDArray[Any]]
_NO_END = 2**31  # epochs; fit stops earlier


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """Labelled examples by position.

    Attributes:
        reads: One per view: positions `(m,)` -> arrays `(m, ...)`. Epoch `e` reads view
            `e mod n_views`.
        labels: `(n,)` float32, 1 = fake.
        weights: `(n,)` float32, one per example.
        change: Takes a batch's inputs, the epoch and the positions; returns what to
            train on instead. None changes nothing.
        multiple: Batches are filled up to a multiple of it by examples of weight 0, the
            others weighing as much more, so that the mean loss stays what it is.
    """

    reads: Sequence[Read]
    labels: NDArray[np.float32]
    weights: NDArray[np.float32]
    change: Change | None = None
    multiple: int = 1

    def order(self, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return epoch `epoch`'s order, a permutation of `0..n-1`."""
        return rng.generator(seed, "order", epoch).permutation(len(self.labels))

    def batch(self, epoch: int, positions: NDArray[np.int64]) -> Batch:
        """Return one batch: inputs, labels `(m, 1)`, weights `(m,)`."""
        count = len(positions)
        filled = -(-count // self.multiple) * self.multiple
        positions = np.resize(positions, filled)
        weights = self.weights[positions] * np.float32(filled / count)
        weights[count:] = 0.0
        inputs = self.reads[epoch % len(self.reads)](positions)
        if self.change is not None:
            inputs = self.change(inputs, epoch, positions)
        return inputs, self.labels[positions, None], weights


def steps_per_epoch(source: Source, batch_size: int) -> int:
    """Return the number of batches in an epoch, the last one possibly smaller."""
    return -(-len(source.labels) // batch_size)


def stream(
    source: Source, batch_size: int, seed: int, first_epoch: int = 0
) -> "tf.data.Dataset | keras.utils.PyDataset":
    """Return endless epochs, starting with `first_epoch`, for `keras.Model.fit`."""
    if keras.backend.backend() == "tensorflow":
        return _tf_stream(source, batch_size, seed, first_epoch)
    return _Epochs(source, batch_size, seed, first_epoch)


def _tf_stream(
    source: Source, batch_size: int, seed: int, first_epoch: int
) -> "tf.data.Dataset":
    import tensorflow as tf

    def positions(epoch: "tf.Tensor") -> "tf.data.Dataset":
        order = tf.numpy_function(
            lambda e: source.order(seed, int(e)), [epoch], tf.int64, stateful=False
        )
        order.set_shape([len(source.labels)])
        parts = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return parts.map(lambda part: (epoch, part))

    sample = source.batch(0, np.zeros(1, np.int64))
    types = [tf.as_dtype(array.dtype) for array in sample]

    def read(epoch: "tf.Tensor", part: "tf.Tensor") -> "tuple[tf.Tensor, ...]":
        batch = tf.numpy_function(
            lambda e, p: source.batch(int(e), p), [epoch, part], types, stateful=False
        )
        for tensor, array in zip(batch, sample, strict=True):
            tensor.set_shape([None, *array.shape[1:]])
        return tuple(batch)

    epochs = tf.data.Dataset.range(first_epoch, _NO_END)
    batches = epochs.flat_map(positions)
    return batches.map(read, num_parallel_calls=2, deterministic=True).prefetch(2)


class _Epochs(keras.utils.PyDataset):
    """The same batches by NumPy."""

    def __init__(self, source: Source, batch_size: int, seed: int, epoch: int) -> None:
        super().__init__(workers=1)
        self._source, self._batch_size, self._seed = source, batch_size, seed
        self._epoch = epoch
        self._order = source.order(seed, epoch)

    def __len__(self) -> int:
        return steps_per_epoch(self._source, self._batch_size)

    def __getitem__(self, index: int) -> Batch:
        start = index * self._batch_size
        return self._source.batch(
            self._epoch, self._order[start : start + self._batch_size]
        )

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._order = self._source.order(self._seed, self._epoch)
