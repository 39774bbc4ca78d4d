"""An ONNX file's bytes -> a function of pixels, by ONNX Runtime or OpenVINO."""

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import numerics
from kerasfaces.core.errors import MissingExtraError, RunError
from kerasfaces.graphs.onnx_graph import INPUT

Run = Callable[[NDArray[np.uint8]], Sequence[NDArray[np.float32]]]


def is_available() -> bool:
    """Tell whether a runtime is installed; imports nothing."""
    return any(map(importlib.util.find_spec, ("onnxruntime", "openvino")))


def open_graph(data: bytes, outputs: Sequence[str], what: str, missing: str) -> Run:
    """Return a function: pixels `(n, side, side, c)` uint8 -> the outputs, float32.

    Args:
        data: The ONNX file.
        outputs: Names of the values to return, in order.
        what: The network, for messages, such as `the detector of faces`.
        missing: The sentence for a machine without a runtime.

    Raises:
        MissingExtraError: Neither runtime is installed.
        RunError: The runtime cannot use the file.
    """
    if not is_available():
        raise MissingExtraError(missing)
    try:
        if importlib.util.find_spec("onnxruntime"):
            return _in_onnxruntime(data, list(outputs))
        return _in_openvino(data, list(outputs))
    except Exception as error:  # whatever a runtime says
        raise RunError(
            f"{what} cannot be run ({' '.join(str(error).split())[:160]}); "
            "reinstall onnxruntime: pip install --force-reinstall onnxruntime"
        ) from error


def _in_onnxruntime(data: bytes, outputs: list[str]) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = numerics.n_threads()
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(data, options, providers=providers)
    return lambda pictures: session.run(outputs, {INPUT: pictures})


def _in_openvino(data: bytes, outputs: list[str]) -> Run:
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": numerics.n_threads(),
    }
    core = openvino.Core()
    network = core.read_model(data)
    compiled = core.compile_model(network, "CPU", settings)

    def run(pictures: NDArray[np.uint8]) -> list[NDArray[Any]]:
        answers = compiled({INPUT: pictures})
        return [np.array(answers[name]) for name in outputs]

    return run
