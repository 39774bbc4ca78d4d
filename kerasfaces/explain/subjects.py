"""A run folder -> a `Subject`: pixels in memory -> logits, whatever the detector is.

A network on pixels is also taken apart here: maps, features, heads, gradients. The base
is a model inside the model, and a tape around the whole does not see its layers. Its taps
are tensors of the whole model's own graph, though: one model is cut before the pooling,
and the rest (pooling, head) is replayed under the tape.
"""

import dataclasses
import itertools
import tempfile
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.channels import engines as channel_engines
from kerasfaces.channels import own_process
from kerasfaces.core import rng
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.dataset.channels import from_store
from kerasfaces.explain.contract import Map, Pixels
from kerasfaces.features import engines
from kerasfaces.images import InputSpec
from kerasfaces.images.limits import Limits
from kerasfaces.models.config import HeadConfig
from kerasfaces.models.network import build_head, extractor_of, poolings_of
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.network import TrainedNetwork
from kerasfaces.run.predictor import image_logits

Logits = Callable[[Pixels], NDArray[np.float64]]
_PIXELS = 2**19  # of input at a time under a tape, which keeps every layer's output


class Network:
    """A network on pixels.

    Attributes:
        model: `(n, s, s, 3)` 0..255 -> `(n, 1)`.
        heads: `(n, features)` -> `(n, 1)`: the learnt one, then those re-drawn.
        tap_names: `LAYER@SCALE`, in the features' order.
        poolings: What makes features of each tap, in the same order.
    """

    def __init__(self, trained: TrainedNetwork, redraws: int, seed: int) -> None:
        """Load a run's network; see `open_subject`."""
        config = trained.model
        self.model = trained.load()
        head = self.model.get_layer("head")
        self.heads = [head, *_redrawn(head, config.head, redraws, seed)]
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

    def logits(self, images: Pixels) -> NDArray[np.float64]:
        """Return every head's logits, `(n, len(heads))`, by the fastest engine."""
        if self._engine is None:
            self._engine = engines.choose(self._extractor, images)
        starts = range(0, len(images), self._engine.batch)
        batches = [images[at : at + self._engine.batch] for at in starts]
        return self._of_heads(np.concatenate(list(map(self._engine.extract, batches))))

    def exact(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return every head's logits of float images by Keras itself, `(n, len(heads))`."""
        return self._of_heads(engines.eagerly(self._extractor, images))

    def maps(self, image: Pixels) -> list[Map]:
        """Return what the taps hold of one image: `(h, w, c)` float32 each."""
        out = self._halves[0].predict_on_batch(image[None].astype(np.float32))
        out = out if isinstance(out, list) else [out]
        return [np.asarray(each[0], np.float32) for each in out]

    def gradients(
        self, maps: Sequence[Map], head: keras.Model
    ) -> tuple[list[Map], Map, Map]:
        """Return one head's gradients by each map and by each feature; and the features."""
        tf = _tensorflow()
        tensors = [tf.constant(each[None]) for each in maps]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            features = self._halves[1](tensors, training=False)
            logit = head(features, training=False)
        by_map, by_feature = tape.gradient(logit, [tensors, features])
        return (
            [each[0].numpy() for each in by_map],
            by_feature[0].numpy(),
            features[0].numpy(),
        )

    def gradients_by_pixel(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return every head's gradient by pixel, summed over images, `(heads, s, s, 3)`."""
        total = np.zeros((len(self.heads), *images.shape[1:]))
        for at in range(0, len(images), self._batch):
            total += self._summed_gradients(images[at : at + self._batch]).numpy()
        return total

    def _of_heads(self, features: NDArray[Any]) -> NDArray[np.float64]:
        # Eagerly: tracing a graph per head costs more than all its calls.
        columns = [
            keras.ops.convert_to_numpy(head(features, training=False))
            for head in self.heads
        ]
        return np.concatenate(columns, axis=1).astype(np.float64)

    @cached_property
    def _summed_gradients(self) -> Callable[[NDArray[np.float32]], Any]:
        tf = _tensorflow()
        images_spec = tf.TensorSpec((None, *self.model.input_shape[1:]), tf.float32)

        def summed(images: Any) -> Any:
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(images)
                features = self._extractor(images, training=False)
                logits = [head(features, training=False) for head in self.heads]
            return tf.stack(
                [tf.reduce_sum(tape.gradient(each, images), axis=0) for each in logits]
            )

        traced: Callable[[NDArray[np.float32]], Any]
        traced = tf.function(summed, input_signature=[images_spec])
        return traced

    @cached_property
    def _halves(self) -> tuple[keras.Model, keras.Model]:
        taps = [each.input for each in self.poolings]
        features = self.model.get_layer("features").output
        return keras.Model(self.model.input, taps), keras.Model(taps, features)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A finished run as something that can be asked.

    Attributes:
        name: Its folder's name.
        kind: Its model, for messages.
        spec: What stands between a file and the pixels.
        n_heads: The learnt head, and those re-drawn.
        logits: `(n, s, s, 3)` uint8 -> `(n, n_heads)` float64.
        network: The network, where it sees pixels; else None.
        limits: What a picture must have to be judged; None where nothing is known.
    """

    name: str
    kind: str
    spec: InputSpec
    n_heads: int
    logits: Logits
    network: Network | None
    limits: Limits | None = None

    def network_for(self, method: str) -> Network:
        """Return the network, which a method needs; refuse where none sees pixels."""
        if self.network is None:
            raise InputError(
                f"{method} needs a network that sees pixels, and {self.name} is "
                f"{self.kind}: give `method='occlusion'`, which asks for nothing but logits."
            )
        return self.network


def open_subject(folder: Path, redraws: int = 0, seed: int = 0) -> Subject:
    """Open a finished run of a model or of a baseline.

    Args:
        folder: The run folder.
        redraws: Number of heads with re-drawn weights; a head without weights has none.
        seed: Key of those weights.

    Raises:
        KerasfacesError: See `DetectorRun.network`.
    """
    run = DetectorRun(folder)
    network = None
    if (config := run.baseline) is not None:
        kind, spec, limits = config.model.name, config.input_spec, run.limits
        logits = _baseline_logits(run)
    else:
        trained = run.network
        kind, spec, limits = trained.model.name, trained.input_spec, trained.limits
        if trained.model.crops:
            raise InputError(
                f"{folder}: it averages {trained.model.crops} crops of a picture, which no "
                "explanation follows yet; give a run that sees the whole picture."
            )
        if trained.model.is_rgb:
            network = Network(trained, redraws, seed)
            logits = network.logits
        else:
            kind += f" on channels ({', '.join(trained.model.inputs)})"
            logits = _channel_logits(trained)
    return Subject(
        name=run.name,
        kind=kind,
        spec=spec,
        n_heads=len(network.heads) if network else 1,
        logits=logits,
        network=network,
        limits=limits,
    )


def _baseline_logits(run: DetectorRun) -> Logits:
    _ = run.fitted  # an unfinished run is refused here
    return lambda images: run.baseline_logits(images.__getitem__, len(images))[:, None]


def _channel_logits(trained: TrainedNetwork) -> Logits:
    """Return image -> channels -> logit, the channels by the stage's own process.

    Each call starts that process, so it gets as many images as there are at once.
    """
    model = trained.load()

    def logits(images: Pixels) -> NDArray[np.float64]:
        with tempfile.TemporaryDirectory() as scratch:
            files = [Path(scratch) / f"{n:05d}.png" for n in range(len(images))]
            for path, pixels in zip(files, images, strict=True):
                Image.fromarray(pixels).save(path)  # as large as the stage makes it
            store = Path(scratch) / "store"
            recipe = channel_engines.available(trained.channel_recipe or {})
            own_process.compute_as(files, recipe, store)
            joined = from_store(files, store, trained.model.channel_names)
            bad = [reason for reason in joined.reasons if reason]
            if bad:
                raise ImageError(f"no channels of {len(bad)} changed copies: {bad[0]}")
            return image_logits(model, joined.store.reader(joined.keys))[:, None]

    return logits


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


def _tensorflow() -> ModuleType:
    """Return TensorFlow; refuse where Keras runs on another backend."""
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"Gradients are taken with TensorFlow, and Keras runs on "
            f"{keras.backend.backend()}: unset KERAS_BACKEND, or give `method='occlusion'`."
        )
    import tensorflow

    return tensorflow  # type: ignore[no-any-return]
