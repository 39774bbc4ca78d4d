"""Devices that train end to end: which of them, and one batch spread over several.

Spreading is Keras' own: `keras.distribution.DataParallel` under JAX,
`tf.distribute.MirroredStrategy` under TensorFlow. Every device holds all weights and sees
its share of each batch (`Source.multiple` makes batches divide). The result is one device's
but for the order of sums, with two exceptions: an epoch's last batch, where it had to be
filled up, counts some images twice in batch normalisation's statistics; and TensorFlow's
devices draw dropout and augmentation each for itself. Statistics are those of the whole
batch.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import keras

from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.core.texts import quoted

VARIABLE = "KERASFACES_DEVICES"
_MEMORY_ERRORS = ("ResourceExhaustedError", "XlaRuntimeError", "JaxRuntimeError")
_MEMORY_WORDS = ("RESOURCE_EXHAUSTED", "OOM", "OUT OF MEMORY")


def chosen(wanted: str = "") -> tuple[str, ...]:
    """Return the devices that train, such as `("gpu:0", "gpu:1")`.

    Args:
        wanted: Their names, separated by commas; `all` is every GPU or, without any,
            every CPU device. Empty takes those of `KERASFACES_DEVICES`, else the
            backend's first device.

    Raises:
        InputError: There is no such device.
    """
    origin = "`devices`" if wanted else VARIABLE
    text = (wanted or os.environ.get(VARIABLE, "")).strip().lower()
    default = tuple(keras.distribution.list_devices())
    if not text:
        return default[:1]
    if text == "all":
        return default
    known = {*default, *keras.distribution.list_devices("cpu")}
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in known:
            raise InputError(
                f"{origin}: there is no device {quoted(name)}; available: "
                f"{', '.join(sorted(known))}, or all."
            )
    if len({name.partition(":")[0] for name in names}) > 1:
        raise InputError(
            f"{origin}: CPU and GPU cannot train together, got {quoted(text)}."
        )
    return names


def building(names: tuple[str, ...]) -> AbstractContextManager[object]:
    """Return the context in which a network and its optimizer are made for devices."""
    if not names:
        return contextlib.nullcontext()
    if keras.backend.backend() != "tensorflow":
        return training(names)
    if len(names) > 1:
        return _strategy(names).scope()  # type: ignore[no-any-return]
    import tensorflow as tf

    listed = tuple(keras.distribution.list_devices())
    if names == listed[:1]:
        return contextlib.nullcontext()
    return tf.device(names[0])  # type: ignore[no-any-return]


@contextmanager
def training(names: tuple[str, ...]) -> Iterator[None]:
    """Let `fit` send each batch to the devices; TensorFlow's networks know theirs."""
    several = len(names) > 1
    if keras.backend.backend() == "tensorflow":
        with building(() if several else names):
            yield
        return
    import jax

    kind, _, number = (names or ("",))[0].partition(":")
    context: AbstractContextManager[object] = contextlib.nullcontext()
    if several:
        context = _distribution(names).scope()
    elif names:
        devices = [each for each in jax.devices(kind) if each.id == int(number)]
        context = jax.default_device(devices[0])
    with context:
        yield


@contextmanager
def apart() -> Iterator[None]:
    """Compute something on one device while `training` is on."""
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def synchronize_norms(network: keras.Model) -> None:
    """Let batch normalisation see whole batches; under JAX it does without being told."""
    if keras.backend.backend() != "tensorflow":
        return
    for layer in [*network.get_layer("base").layers, *network.get_layer("head").layers]:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


@contextmanager
def memory(batch_size: int) -> Iterator[None]:
    """Turn a device's lack of memory into a sentence.

    Raises:
        KerasfacesError: It names the batch size to try.
    """
    try:
        yield
    except Exception as error:
        kinds = {kind.__name__ for kind in type(error).__mro__}
        text = str(error).upper()
        is_memory = any(word in text for word in _MEMORY_WORDS)
        if not kinds & set(_MEMORY_ERRORS) or not is_memory:
            raise
        half = f"batch_size={batch_size // 2}" if batch_size > 1 else ""
        advice = f"try {half or 'a smaller model.size_px'}"
        raise KerasfacesError(
            f"The device ran out of memory with batches of {batch_size} images: {advice}, "
            "or a device with more memory."
        ) from error


@functools.cache
def _strategy(names: tuple[str, ...]) -> Any:
    import tensorflow as tf

    # NCCL is for GPUs alone.
    on_cpu = names[0].startswith("cpu")
    return tf.distribute.MirroredStrategy(
        list(names),
        cross_device_ops=tf.distribute.ReductionToOneDevice() if on_cpu else None,
    )


@functools.cache
def _distribution(names: tuple[str, ...]) -> keras.distribution.DataParallel:
    return keras.distribution.DataParallel(
        devices=list(names), auto_shard_dataset=False
    )
