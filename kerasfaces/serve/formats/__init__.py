"""What a network can be exported to: one file per format, named as on the command line.

Each has `FILE`, the name it writes; `MODULES`, what it imports beside TensorFlow;
`RUNTIME`, the package that runs the file; `ADVICE`, for whoever runs it; `QUANTISED`: with
fewer bits than Keras, so that its logits differ and what that costs is measured; `EMBEDS`:
whether its files have the head's final layer; `JOINS`, what it imports to join the graph of
channels to the network, or None where it cannot; `write(traced, path)`; `outputs(path)`, by
that runtime: images `(n, h, w, c)` float32 -> `(n, 1)` logits and final layers `(n, width)`,
None where the file lacks them; `embed(path, text)`, which puts a description into a written
file; and `embedded(path)`, which returns it, or None where there is none.
"""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

PACKAGE = "kerasfaces.serve.formats"
INPUT, OUTPUT, EMBEDDING = "image", "logit", "final_layer"
KEY = "kerasfaces"  # under which a file keeps its description
Calibration = Callable[[], Iterable[NDArray[np.float32]]]
Both = tuple[NDArray[np.float32], NDArray[np.float32] | None]  # logits, final layers
Outputs = Callable[[NDArray[np.float32]], Both]


@dataclasses.dataclass(frozen=True)
class Traced:
    """A network as TensorFlow functions, any number of images at a time.

    Attributes:
        module: A `tf.Module` whose `serve(image=...)` returns `{"logit": (n, 1)}`.
        shape: Shape of one input without the batch axis, `(h, w, c)`.
        graph: A GraphDef with the weights as constants.
        ends: Names of its input, its output and its embedding.
        calibration: Yields inputs `(1, h, w, c)` float32 that show how large activations
            become, for formats that round them.
        channels: An ONNX file that makes the network's input of pixels (`channels.graph`),
            for formats that join it; None where the network's input stays as it is.
    """

    module: "tf.Module"
    shape: tuple[int, ...]
    graph: "tf.compat.v1.GraphDef"
    ends: tuple[str, str, str]
    calibration: Calibration
    channels: Path | None = None


def trace(
    model: "keras.Model", calibration: Calibration, channels: Path | None = None
) -> Traced:
    """Return a Keras model, `(n, h, w, c)` -> `(n, 1)`, as functions.

    `model.export(format="onnx")` of Keras 3.15 is of no use here: the statistics of a
    Normalization layer become further inputs of the file it writes, and no error says so.
    """
    import tensorflow as tf
    from tensorflow.python.framework import convert_to_constants

    from kerasfaces.models.network import with_embedding

    shape = tuple(model.input_shape[1:])
    images = [tf.TensorSpec([None, *shape], tf.float32, name=INPUT)]
    both = with_embedding(model)
    network = tf.function(lambda image: both(image, training=False), images)
    # Constants for all formats: LiteRT reads variables of its own files as NaN.
    frozen = convert_to_constants.convert_variables_to_constants_v2(
        network.get_concrete_function()
    )
    module = tf.Module()
    module.serve = tf.function(lambda image: {OUTPUT: frozen(image)[0]}, images)
    ends = (frozen.inputs[0].name, *(output.name for output in frozen.outputs))
    return Traced(
        module, shape, frozen.graph.as_graph_def(), ends, calibration, channels
    )
