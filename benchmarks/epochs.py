"""A head's epochs: our loop inside one graph, against Keras' `steps_per_execution`.

The same head, features, order of batches, optimizer and validation after every epoch, in
turns. Keras runs a whole epoch per execution (`steps_per_execution` is the number of its
steps) over a tf.data stream of the same batches. `first` includes tracing, as a training
of one detector does; `again` trains once more what was traced, as a study does.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.framework import timing

_IMAGES, _FEATURES, _EPOCHS, _BATCH, _TURNS = 800, 2560, 20, 64, 7
Train = Callable[[], None]


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return how many times faster than Keras ours is, with tracing and without."""
    from kerasfaces.core.imports import import_keras

    import_keras()
    first, again = [], []
    for turn in range(2 if quick else _TURNS + 1):
        seconds = {}
        for name, make in (("keras", _keras), ("ours", _ours)):
            started = time.perf_counter()
            train = make(turn)
            train()
            traced = time.perf_counter()
            train()
            seconds[name] = traced - started, time.perf_counter() - traced
        if turn:  # the first turn warms up both
            first.append(seconds["keras"][0] / seconds["ours"][0])
            again.append(seconds["keras"][1] / seconds["ours"][1])
    what = (
        f"{_EPOCHS} epochs of a linear head on {_IMAGES} x {_FEATURES} features, batches "
        f"of {_BATCH}, Keras' fit with steps_per_execution = steps / ours"
    )
    return [
        timing.row("epochs_first", first, 1.0, f"{what}, tracing included"),
        timing.row("epochs_again", again, 1.0, f"{what}, already traced"),
    ]


def _parts(seed: int) -> tuple[Any, Any, Callable[[], Any]]:
    """Return a head, its training examples, and its validation after an epoch."""
    from kerasfaces.dataset.batches import Source
    from kerasfaces.models import network
    from kerasfaces.models.config import HeadConfig
    from kerasfaces.train.heads import head_logits
    from kerasfaces.train.loop import scores

    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, _IMAGES).astype(np.float32)
    features = random.normal(size=(_IMAGES, _FEATURES)).astype(np.float32)
    model = network.build_head(_FEATURES, HeadConfig(l2=0.01, standardize=False), seed)
    source = Source(
        reads=[lambda positions: features[positions]],
        labels=labels,
        weights=np.ones(_IMAGES, np.float32),
    )
    few = _IMAGES // 5

    class Few:
        def __len__(self) -> int:
            return few

        def __call__(self, positions: Any) -> Any:
            return features[positions]

    return model, source, lambda: scores(labels[:few], head_logits(model, Few()))


def _ours(seed: int) -> Train:
    from kerasfaces.train.compiled import Epochs

    model, source, validate = _parts(seed)
    _compile(model, 1)
    epochs = Epochs(model, model.loss, _FEATURES, _BATCH)

    def train() -> None:
        for epoch in range(_EPOCHS):
            epochs.train(source, 0, epoch)
            validate()

    return train


def _keras(seed: int) -> Train:
    import keras

    from kerasfaces.dataset.batches import steps_per_epoch, stream

    model, source, validate = _parts(seed)
    steps = steps_per_epoch(source, _BATCH)
    _compile(model, steps)
    after = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: validate())

    def train() -> None:
        model.fit(
            stream(source, _BATCH, 0),
            steps_per_epoch=steps,
            epochs=_EPOCHS,
            shuffle=False,
            verbose=0,
            callbacks=[after],
        )

    return train


def _compile(model: Any, steps: int) -> None:
    import keras

    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        steps_per_execution=steps,
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)
