"""A network on pixels taken apart: maps, features, heads, gradients.

The base is a model inside the model, and a tape around the whole does not see its layers.
Its taps are tensors of the whole model's own graph, though: one model is cut before the
pooling, and the rest (pooling, head) is replayed under the tape.
"""

import copy
import dataclasses
import itertools
from collections.abc import Callable
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Self

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.explain.contract import Map, Pixels
from kerasfaces.features import engines
from kerasfaces.models.config import HeadConfig
from kerasfaces.models.network import build_head, extractor_of, poolings_of
from kerasfaces.run.network import TrainedNetwork

if TYPE_CHECKING:
    from tensorflow import Tensor, TensorSpec

_PIXELS = 2**19  # of input at a time under a tape, which keeps every layer's output
Floats = NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class TapGradients:
    """What the taps hold of one image, and what each head makes of it.

    Attributes:
        maps: Per tap `(h, w, c)`.
        features: `(n_features,)`.
        by_map: Per head, per tap: the logit's gradient by the map, `(h, w, c)`.
        by_feature: Per head: the logit's gradient by the features.
    """

    maps: list[Map]
    features: Floats
    by_map: list[list[Map]]
    by_feature: list[Floats]


class Network:
    """A network on pixels.

    Attributes:
        model: `(n, s, s, 3)` 0..255 -> `(n, 1)`.
        heads: `(n, features)` -> `(n, 1)`: the learnt one, then those re-drawn.
        has_linear_head: Whether the logit is a weighted sum of the features.
        tap_names: `LAYER@SCALE`, in the features' order.
        poolings: What makes features of each tap, in the same order.
    """

    def __init__(self, trained: TrainedNetwork, redraws: int, seed: int) -> None:
        """Load a run's network; see `open_subject`."""
        config = trained.model
        self.model = trained.load()
        head = self.model.get_layer("head")
        self.heads = [head, *_redrawn(head, config.head, redraws, seed)]
        self.has_linear_head = not config.head.units
        views = len(config.images)
        self.tap_names = [
            f"{tap}@{scale:g}" + (f"#{view}" if views > 1 else "")
            for view, scale, tap in itertools.product(
                range(views), config.scales, config.taps or ("last",)
            )
        ]
        self.poolings = poolings_of(self.model)
        self._batch = max(1, int(_PIXELS // (max(config.scales) * config.size_px) ** 2))
        self._extractor = extractor_of(self.model)
        self._engine: engines.Engine | None = None

    def learnt(self) -> Self:
        """Return the same network with its learnt head alone; the layers are shared."""
        alone = copy.copy(self)
        alone.heads = self.heads[:1]
        for traced in ("_at_taps", "_summed_gradients", "_summed_loss_gradients"):
            alone.__dict__.pop(traced, None)  # of all heads
        return alone

    def logits(self, images: Pixels) -> NDArray[np.float64]:
        """Return every head's logits, `(n, len(heads))`, by the fastest engine."""
        if self._engine is None:
            self._engine = engines.choose(self._extractor, images)
        starts = range(0, len(images), self._engine.batch)
        batches = [images[at : at + self._engine.batch] for at in starts]
        return self._of_heads(np.concatenate(list(map(self._engine.extract, batches))))

    def exact(self, images: Floats) -> NDArray[np.float64]:
        """Return every head's logits of float images by Keras itself, `(n, len(heads))`."""
        return self._of_heads(engines.eagerly(self._extractor, images))

    def maps(self, image: Pixels) -> list[Map]:
        """Return what the taps hold of one image: `(h, w, c)` float32 each."""
        out = self._halves[0].predict_on_batch(image[None].astype(np.float32))
        out = out if isinstance(out, list) else [out]
        return [np.asarray(each[0], np.float32) for each in out]

    def at_taps(self, image: Pixels) -> TapGradients:
        """Return one image's maps and features with each head's gradients by them."""
        maps, features, gradients = self._at_taps(image[None].astype(np.float32))
        return TapGradients(
            [each[0].numpy() for each in maps],
            features[0].numpy(),
            [[each[0].numpy() for each in by_map] for by_map, _ in gradients],
            [by_feature[0].numpy() for _, by_feature in gradients],
        )

    def gradients_by_pixel(self, images: Floats) -> NDArray[np.float64]:
        """Return every head's gradient by pixel, summed over images, `(heads, s, s, 3)`."""
        return self._summed(self._summed_gradients, images)

    def loss_gradients(self, images: Floats, is_fake: bool) -> NDArray[np.float64]:
        """Return the gradients of each head's cross-entropy loss by pixel, summed over images.

        Of images `(n, s, s, 3)`, 0..255: `(heads, s, s, 3)`, nats per grey level. By the loss of
        a logit z for label y the gradient is (sigmoid(z) - y) times the logit's.
        """
        return self._summed(self._summed_loss_gradients, images, float(is_fake))

    def _summed(
        self, traced: "Callable[..., Tensor]", images: Floats, *more: float
    ) -> NDArray[np.float64]:
        total = np.zeros((len(self.heads), *images.shape[1:]))
        for at in range(0, len(images), self._batch):
            total += traced(images[at : at + self._batch], *more).numpy()
        return total

    def _of_heads(self, features: Floats) -> NDArray[np.float64]:
        # Eagerly: tracing a graph per head costs more than all its calls.
        columns = [
            keras.ops.convert_to_numpy(head(features, training=False))
            for head in self.heads
        ]
        return np.concatenate(columns, axis=1).astype(np.float64)

    @cached_property
    def _at_taps(
        self,
    ) -> "Callable[[Floats], tuple[list[Tensor], Tensor, list[list[Tensor]]]]":
        """The base without a tape, pooling and heads under one, as one graph."""
        tf = tensorflow()
        first, second = self._halves

        def computed(
            images: "Tensor",
        ) -> "tuple[list[Tensor], Tensor, list[list[Tensor]]]":
            maps = first(images, training=False)
            maps = maps if isinstance(maps, list) else [maps]
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(maps)
                features = second(maps, training=False)
                logits = [head(features, training=False) for head in self.heads]
            zero = tf.UnconnectedGradients.ZERO
            return (
                maps,
                features,
                [tape.gradient(each, [maps, features], None, zero) for each in logits],
            )

        spec = tf.TensorSpec((1, *self.model.input_shape[1:]), tf.float32)
        return tf.function(computed, input_signature=[spec])  # type: ignore[no-any-return]

    @cached_property
    def _summed_gradients(self) -> "Callable[..., Tensor]":
        return self._traced(lambda logit: logit)

    @cached_property
    def _summed_loss_gradients(self) -> "Callable[..., Tensor]":
        tf = tensorflow()

        def loss(logit: "Tensor", label: "Tensor") -> "Tensor":
            return tf.nn.sigmoid_cross_entropy_with_logits(label + 0 * logit, logit)

        return self._traced(loss, tf.TensorSpec((), tf.float32))

    def _traced(
        self, value: "Callable[..., Tensor]", *more: "TensorSpec"
    ) -> "Callable[..., Tensor]":
        """Return a graph: images -> the summed gradients of `value(logit, ...)`."""
        tf = tensorflow()
        images_spec = tf.TensorSpec((None, *self.model.input_shape[1:]), tf.float32)

        def summed(images: "Tensor", *arguments: "Tensor") -> "Tensor":
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(images)
                features = self._extractor(images, training=False)
                values = [
                    value(head(features, training=False), *arguments)
                    for head in self.heads
                ]
            zero = tf.UnconnectedGradients.ZERO
            return tf.stack(
                [
                    tf.reduce_sum(tape.gradient(each, images, None, zero), axis=0)
                    for each in values
                ]
            )

        return tf.function(summed, input_signature=[images_spec, *more])  # type: ignore[no-any-return]

    @cached_property
    def _halves(self) -> tuple[keras.Model, keras.Model]:
        taps = [each.input for each in self.poolings]
        features = self.model.get_layer("features").output
        return keras.Model(self.model.input, taps), keras.Model(taps, features)


def _redrawn(
    head: keras.Model, config: HeadConfig, redraws: int, seed: int
) -> list[keras.Model]:
    """Return heads whose dense weights are noise of the learnt ones' deviation.

    What was not learnt from labels (standardisation) stays.
    """
    if not any(isinstance(layer, keras.layers.Dense) for layer in head.layers):
        return []
    others = []
    for number in range(redraws):
        other = build_head(head.input_shape[-1], config)
        other.set_weights(head.get_weights())
        random = rng.generator(seed, "redrawn head", number)
        for layer in other.layers:
            if isinstance(layer, keras.layers.Dense):
                kernel, *bias = layer.get_weights()
                noise = random.normal(0.0, float(kernel.std()), kernel.shape)
                layer.set_weights([noise.astype(kernel.dtype), *bias])
            elif isinstance(layer, keras.layers.Normalization):
                layer.finalize_state()  # it computes with a copy of its weights
        others.append(other)
    return others


def tensorflow() -> ModuleType:
    """Return TensorFlow; refuse where Keras runs on another backend."""
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"Gradients are taken with TensorFlow, and Keras runs on "
            f"{keras.backend.backend()}: unset KERAS_BACKEND, or give `method='occlusion'`."
        )
    import tensorflow

    return tensorflow  # type: ignore[no-any-return]
