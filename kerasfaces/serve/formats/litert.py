"""LiteRT (.tflite), for phones; builtin operations only, so that any LiteRT runs it."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.serve.formats import INPUT, KEY, OUTPUT, Both, Outputs, Traced

if TYPE_CHECKING:
    import tensorflow as tf

FILE = "model.tflite"
MODULES = ("ai_edge_litert",)
RUNTIME = "ai-edge-litert"
QUANTISED = EMBEDS = False
JOINS = None
ADVICE = "one image at a time, or resize_tensor_input to your batch first"
_TEXT = f"{KEY}.json"


def write(traced: Traced, path: Path) -> None:
    """Write the network to `path`."""
    path.write_bytes(converter(traced).convert())


def converter(traced: Traced) -> "tf.lite.TFLiteConverter":
    """Return TensorFlow's converter of the network, before any optimisation."""
    import tensorflow as tf

    function = traced.module.serve.get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([function], traced.module)


def embed(path: Path, text: str) -> None:
    """Append a text as an archived file, as LiteRT's own metadata tools do."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_TEXT, text)


def embedded(path: Path) -> str | None:
    """Return the text that `embed` put there."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        return archive.read(_TEXT).decode()


def outputs(path: Path) -> Outputs:
    """Return what the file computes."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))

    def compute(images: NDArray[np.float32]) -> Both:
        index = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(index, images.shape, strict=True)
        run = interpreter.get_signature_runner()
        return np.array(run(**{INPUT: images})[OUTPUT]), None

    return compute
