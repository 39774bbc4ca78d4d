"""Run a frozen extractor with the fastest engine that agrees with Keras.

OpenVINO runs MobileNetV2 two to three times faster than TensorFlow on a CPU. An engine
is taken only if its features of the first batch agree with Keras' own to `TOLERANCE`;
otherwise Keras computes them. The choice is logged and recorded. An engine's name holds
whatever can change its features: versions, backend, device, precision.
"""

import dataclasses
import importlib
import importlib.metadata
import importlib.util
import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import numerics

logger = logging.getLogger(__name__)

TOLERANCE = 1e-4  # relative to max(1, |feature|)
COMPARED = 8  # images of the first batch on which an engine must agree
_EAGER_PIXELS = 2**18  # of input at a time
Extract = Callable[[NDArray[Any]], NDArray[np.float32]]


@dataclasses.dataclass(frozen=True)
class Engine:
    """A way to run an extractor: its name with version, the call, its best batch."""

    name: str
    extract: Extract
    batch: int


def available() -> list[str]:
    """Return the engines to try on this machine, best first; `keras` is always last.

    `KERASFACES_ENGINE` (`keras` or `openvino`) narrows the choice.
    """
    wanted = os.environ.get("KERASFACES_ENGINE", "")
    names = []
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if importlib.util.find_spec("openvino") and on_tensorflow and not _has_gpu():
        names.append("openvino")
    return [name for name in [*names, "keras"] if wanted in ("", name)] or ["keras"]


def candidates() -> list[str]:
    """Return the full names of the `available` engines, best first."""
    names = {"openvino": _openvino_name, "keras": keras_name}
    return [names[each]() for each in available()]


def keras_engine(extractor: keras.Model) -> Engine:
    """Return Keras itself as the engine."""

    def extract(batch: NDArray[Any]) -> NDArray[np.float32]:
        features = extractor.predict_on_batch(batch.astype(np.float32))
        return np.asarray(features, np.float32)

    return Engine(keras_name(), extract, 32)


def convert(extractor: keras.Model) -> Engine | None:
    """Return OpenVINO's engine, not yet compared with Keras; None where Keras must do."""
    if available()[0] == "keras":
        return None
    try:
        return _openvino(extractor)
    except (RuntimeError, ValueError, TypeError) as error:
        logger.warning(
            "openvino cannot run this base (%s); Keras computes features", error
        )
        return None


def choose(
    extractor: keras.Model, first_batch: NDArray[Any], converted: Engine | None = None
) -> Engine:
    """Return the first available engine that agrees with Keras on some real images.

    Args:
        extractor: `(n, s, s, 3)` sRGB 0..255 -> `(n, features)`.
        first_batch: Images of the data set, uint8.
        converted: What `convert` returned, if it was called before.
    """
    reference = keras_engine(extractor)
    engine = converted or convert(extractor)
    if engine is None:
        return reference
    first_batch = first_batch[:COMPARED]
    expected = eagerly(extractor, first_batch)
    try:
        features = engine.extract(first_batch)
    except RuntimeError as error:
        logger.warning("openvino fails (%s); Keras computes features", error)
        return reference
    difference = np.abs(features - expected) / np.maximum(1.0, np.abs(expected))
    worst = float(np.max(difference))
    if worst > TOLERANCE:
        limits = f"by {worst:.1e} (limit {TOLERANCE:.0e})"
        logger.warning(
            "openvino differs from Keras %s; Keras computes features", limits
        )
        return reference
    apart = f"differs from Keras by {worst:.1e} at most"
    logger.info("features by %s (%s)", engine.name, apart)
    return engine


def eagerly(extractor: keras.Model, batch: NDArray[Any]) -> NDArray[Any]:
    """Run a model without a graph: tracing one for a comparison would cost seconds.

    An eager model keeps every layer's output to the end (14 GB for 32 images at 512 px),
    hence few images at a time.
    """
    few = max(1, _EAGER_PIXELS // (batch.shape[1] * batch.shape[2]))
    parts = [
        extractor(batch[start : start + few].astype(np.float32), training=False)
        for start in range(0, len(batch), few)
    ]
    return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])


def keras_name() -> str:
    """Return Keras' full name: versions, backend, device, precision."""
    backend = keras.backend.backend()
    module = importlib.import_module(backend)
    parts = ["keras", keras.__version__, backend, module.__version__]
    if backend == "tensorflow" and _has_gpu():
        precise = not module.config.experimental.tensor_float_32_execution_enabled()
        parts += ["gpu"] if precise else ["gpu", "tf32"]
    elif backend == "jax":
        parts.append(module.default_backend())
    return " ".join(parts)


def _openvino_name() -> str:
    return f"openvino {importlib.metadata.version('openvino')}"


def _openvino(extractor: keras.Model) -> Engine:
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "extractor.pb"
        path.write_bytes(_graph_of(extractor))
        converted = openvino.Core().read_model(path)
    converted.reshape([-1, *extractor.input_shape[1:]])
    # Without the hint bfloat16 is used where the processor has it: 2x faster, but wrong
    # by more than the traces we look for.
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",  # all threads on one batch: they follow each other
        "INFERENCE_NUM_THREADS": numerics.n_threads(),
    }
    compiled = openvino.compile_model(converted, "CPU", settings)
    output = compiled.output(0)

    def extract(batch: NDArray[Any]) -> NDArray[np.float32]:
        return np.array(compiled(batch.astype(np.float32))[output], np.float32)

    # Small batches stay in the processor's cache: 8 is a quarter faster than 32.
    return Engine(_openvino_name(), extract, 8)


def _graph_of(extractor: keras.Model) -> bytes:
    """Return a TensorFlow GraphDef with the weights as constants.

    `openvino.convert_model` traces the variables first and freezes them afterwards, which
    takes four times as long, and replaces the root logger's handler.
    """
    import tensorflow as tf

    variables = extractor.trainable_variables, extractor.non_trainable_variables
    values = [[each.numpy() for each in group] for group in variables]
    with tf.Graph().as_default() as graph:
        images = tf.compat.v1.placeholder(
            tf.float32, [None, *extractor.input_shape[1:]], name="images"
        )
        features, _ = extractor.stateless_call(*values, images, training=False)
        output = tf.identity(features).op.name
    definition = graph.as_graph_def()
    # What nothing uses would be an output, too, and might come first.
    needed = _needed({node.name: node.input for node in definition.node}, output)
    nodes = [node for node in definition.node if node.name in needed]
    del definition.node[:]
    definition.node.extend(nodes)
    content: bytes = definition.SerializeToString()
    return content


def _needed(inputs: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """Return the nodes that one node of a graph is computed from, and itself."""
    needed: set[str] = set()
    waiting = [name]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting += [each.lstrip("^").partition(":")[0] for each in inputs[node]]
    return needed


def _has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
