"""TensorFlow's SavedModel, for TensorFlow Serving; signature `serving_default`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.files import write_text
from kerasfaces.serve.formats import INPUT, KEY, OUTPUT, Both, Outputs, Traced

FILE = "model"
MODULES = ()
RUNTIME = "tensorflow"
QUANTISED = EMBEDS = False
JOINS = None
ADVICE = ""
_EXTRA = f"assets.extra/{KEY}.json"


def write(traced: Traced, path: Path) -> None:
    """Write the network to the folder `path`."""
    import tensorflow as tf

    module = traced.module
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})


def embed(path: Path, text: str) -> None:
    """Put a text where SavedModels keep their users' own files."""
    write_text(path / _EXTRA, text)


def embedded(path: Path) -> str | None:
    """Return the text that `embed` put there."""
    file = path / _EXTRA
    return file.read_text(encoding="utf-8") if file.is_file() else None


def outputs(path: Path) -> Outputs:
    """Return what the file computes."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))  # signatures live as long as it does

    def compute(images: NDArray[np.float32]) -> Both:
        answer = loaded.signatures["serving_default"](**{INPUT: tf.constant(images)})
        return np.asarray(answer[OUTPUT]), None

    return compute
