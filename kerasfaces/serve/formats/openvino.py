"""OpenVINO's own format (.xml with its weights in .bin), in full precision."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kerasfaces.serve.formats import (
    EMBEDDING,
    INPUT,
    KEY,
    OUTPUT,
    Both,
    Outputs,
    Traced,
    onnx,
)

FILE = "model.xml"
MODULES = ("openvino",)
RUNTIME = "openvino"
QUANTISED, EMBEDS = False, True
JOINS = ("onnx", "tf2onnx")  # through an ONNX file
ADVICE = (
    'compile with {"INFERENCE_PRECISION_HINT": "f32"}: where the processor has bfloat16 it '
    "is used otherwise, and scores move"
)


def write(traced: Traced, path: Path) -> None:
    """Write the network to `path`, its weights beside it."""
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        if traced.channels:
            graph = Path(folder) / onnx.FILE
            onnx.write(traced, graph)
        else:
            graph = Path(folder) / "graph.pb"
            graph.write_bytes(traced.graph.SerializeToString())
        network = openvino.Core().read_model(graph)
    if not traced.channels:  # else its ends are those of the joined graph
        network.reshape([-1, *traced.shape])
        network.input(0).tensor.set_names({INPUT})
        network.output(traced.ends[1]).tensor.set_names({OUTPUT})
        network.output(traced.ends[2]).tensor.set_names({EMBEDDING})
    openvino.save_model(network, path, compress_to_fp16=False)


def embed(path: Path, text: str) -> None:
    """Put a text into the file's rt_info."""
    import openvino

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder) / FILE  # the old weights are mapped while it is written
        network = openvino.Core().read_model(path)
        network.set_rt_info(text, [KEY])
        openvino.save_model(network, written, compress_to_fp16=False)
        del network
        for suffix in (".bin", ".xml"):
            written.with_suffix(suffix).replace(path.with_suffix(suffix))


def embedded(path: Path) -> str | None:
    """Return the text that `embed` put there."""
    import openvino

    network = openvino.Core().read_model(path)
    return (
        network.get_rt_info([KEY]).astype(str) if network.has_rt_info([KEY]) else None
    )


def outputs(path: Path) -> Outputs:
    """Return what the file computes."""
    import openvino

    compiled = openvino.Core().compile_model(
        path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    embeds = any(EMBEDDING in each.get_names() for each in compiled.outputs)

    def compute(images: NDArray[np.float32]) -> Both:
        values = compiled({INPUT: images})
        embedding = np.array(values[EMBEDDING]) if embeds else None
        return np.array(values[OUTPUT]), embedding

    return compute
