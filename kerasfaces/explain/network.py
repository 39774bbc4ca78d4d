"""A run's network, taken apart: maps, features, heads, gradients.

The base is a model inside the model, and a tape around the whole does not see its
layers. Its taps are tensors of the whole model's own graph, though: one model is cut
before the pooling, and the rest (pooling, head) is replayed under the tape.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.explain.contract import Pixels
from kerasfaces.features import engines
from kerasfaces.models import assemble
from kerasfaces.models import head as heads
from kerasfaces.run.network import TrainedNetwork

_PIXELS = 2**19  # of input at a time under a tape, which keeps every layer's output


class Network:
    """A network on pixels.

    Attributes:
        model: `(n, s, s, 3)` 0..255 -> `(n, 1)`.
        heads: `(n, features)` -> `(n, 1)`: the learnt one, then those re-drawn.
        tap_names: `LAYER@SCALE`, in the features' order.
        poolings: What makes features of each tap, in the same order.
    """

    def __init__(
        self, trained: TrainedNetwork, redraws: int = 0, seed: int = 0
    ) -> None:
        """Load a run's network.

        Args:
            trained: On pixels.
            redraws: Heads with re-drawn weights wanted; a head without weights has none.
            seed: Of those weights.
        """
        self.model = trained.load()
        head = self.model.get_layer("head")
        self.heads = [head, *_redrawn(head, trained, redraws, seed)]
        taps = trained.model.taps or ("last",)
        every = itertools.product(
            range(len(trained.model.views)), trained.model.scales, taps
        )
        views = len(trained.model.views) > 1
        self.tap_names = [
            f"{tap}@{scale:g}" + (f"#{view}" if views else "")
            for view, scale, tap in every
        ]
        largest = max(trained.model.scales) * trained.model.size_px
        self.poolings = assemble.poolings_of(self.model)
        self._few = max(1, int(_PIXELS // largest**2))
        self._extractor = assemble.extractor_of(self.model)
        self._engine: engines.Engine | None = None
        self._cut: tuple[keras.Model, keras.Model] | None = None
        self._gradients: Any = None

    def logits(self, images: Pixels) -> NDArray[np.float64]:
        """Return every head's logits, `(n, len(heads))`, by the fastest engine."""
        if self._engine is None:
            self._engine = engines.choose(self._extractor, images)
        step = self._engine.batch
        features = np.concatenate(
            [
                self._engine.extract(images[at : at + step])
                for at in range(0, len(images), step)
            ]
        )
        return self._by_heads(features)

    def exact(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return every head's logits of float images by Keras itself, `(n, len(heads))`."""
        return self._by_heads(engines.eagerly(self._extractor, images))

    def maps(self, image: Pixels) -> list[NDArray[np.float32]]:
        """Return what the taps hold of one image: `(h, w, c)` float32 each."""
        first, _ = self._halves()
        out = first.predict_on_batch(image[None].astype(np.float32))
        out = out if isinstance(out, list) else [out]
        return [np.asarray(each[0], np.float32) for each in out]

    def by_map(
        self, maps: Sequence[NDArray[np.float32]], head: keras.Model
    ) -> tuple[list[NDArray[np.float32]], NDArray[np.float32], NDArray[np.float32]]:
        """Return a head's gradients.

        Args:
            maps: What `maps` returned.
            head: One of `heads`.

        Returns:
            Of the logit by each map, `(h, w, c)`; and by each feature, `(features,)`; and
            the features.
        """
        tf = _tensorflow()
        _, rest = self._halves()
        tensors = [tf.constant(each[None]) for each in maps]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            features = rest(tensors, training=False)
            logit = head(features, training=False)
        grads, by_feature = tape.gradient(logit, [tensors, features])
        return (
            [each[0].numpy() for each in grads],
            by_feature[0].numpy(),
            features[0].numpy(),
        )

    def by_pixel(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sums over images of every head's gradient by pixel.

        Args:
            images: `(n, s, s, 3)` float32, 0..255.

        Returns:
            `(len(heads), s, s, 3)` float64.
        """
        tf = _tensorflow()
        if self._gradients is None:
            shape = tf.TensorSpec((None, *images.shape[1:]), tf.float32)
            self._gradients = tf.function(self._summed, input_signature=[shape])
        total = np.zeros((len(self.heads), *images.shape[1:]))
        for at in range(0, len(images), self._few):
            total += self._gradients(tf.constant(images[at : at + self._few])).numpy()
        return total

    def _by_heads(self, features: NDArray[Any]) -> NDArray[np.float64]:
        # Eagerly: tracing a graph per head costs more than all its calls.
        columns = [
            keras.ops.convert_to_numpy(head(features, training=False))
            for head in self.heads
        ]
        return np.concatenate(columns, axis=1).astype(np.float64)

    def _summed(self, images: Any) -> Any:
        tf = _tensorflow()
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(images)
            features = self._extractor(images, training=False)
            found = [head(features, training=False) for head in self.heads]
        return tf.stack(
            [tf.reduce_sum(tape.gradient(each, images), axis=0) for each in found]
        )

    def _halves(self) -> tuple[keras.Model, keras.Model]:
        if self._cut is None:
            taps = [each.input for each in self.poolings]
            features = self.model.get_layer("features").output
            self._cut = (
                keras.Model(self.model.input, taps),
                keras.Model(taps, features),
            )
        return self._cut


def _redrawn(
    head: keras.Model, trained: TrainedNetwork, redraws: int, seed: int
) -> list[keras.Model]:
    """Return heads whose dense weights are noise of the learnt ones' deviation.

    What was not learnt from labels (standardisation) stays.
    """
    found = []
    for number in range(redraws):
        other = heads.build(head.input_shape[-1], trained.model.head)
        other.set_weights(head.get_weights())
        random = rng.generator(seed, "redrawn head", number)
        dense = [each for each in other.layers if isinstance(each, keras.layers.Dense)]
        for layer in dense:
            kernel, *bias = layer.get_weights()
            noise = random.normal(0.0, float(kernel.std()), kernel.shape)
            layer.set_weights([noise.astype(kernel.dtype), *bias])
        for layer in other.layers:
            if isinstance(layer, keras.layers.Normalization):
                layer.finalize_state()  # it computes with a copy of its weights
        if dense:
            found.append(other)
    return found


def _tensorflow() -> Any:
    """Return TensorFlow.

    Raises:
        InputError: Keras runs on another backend.
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"Gradients are taken with TensorFlow, and Keras runs on "
            f"{keras.backend.backend()}: unset KERAS_BACKEND, or give `method='occlusion'`."
        )
    import tensorflow

    return tensorflow
