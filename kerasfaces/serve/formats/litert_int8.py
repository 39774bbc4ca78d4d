"""LiteRT, weights and activations in 8 bits, calibrated on validation images.

Pixels and logit stay float32 at the ends, so that it is used like the others.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.serve.formats import INPUT, Traced, litert

QUANTISED = True


def write(traced: Traced, path: Path) -> None:
    """Write the network to `path`; a layer without an 8-bit form is an error."""
    import tensorflow as tf

    def examples() -> Iterator[dict[str, NDArray[np.float32]]]:
        for image in traced.calibration():
            yield {INPUT: image}

    each = litert.converter(traced)
    each.optimizations = [tf.lite.Optimize.DEFAULT]
    each.representative_dataset = examples
    each.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings():
        # TensorFlow's own calibrator imports the interpreter that it calls deprecated.
        warnings.filterwarnings("ignore", "(?s).*tf.lite.Interpreter is deprecated")
        path.write_bytes(each.convert())


def __getattr__(name: str) -> Any:
    """Return what this format has in common with LiteRT's own."""
    return getattr(litert, name)
