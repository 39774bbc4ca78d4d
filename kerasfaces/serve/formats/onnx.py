"""ONNX, by tf2onnx; run by ONNX Runtime."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import numerics
from kerasfaces.serve.formats import (
    EMBEDDING,
    INPUT,
    KEY,
    OUTPUT,
    Both,
    Outputs,
    Traced,
)

if TYPE_CHECKING:
    from onnx import ModelProto

FILE = "model.onnx"
MODULES = ("onnx", "tf2onnx", "onnxruntime")
RUNTIME = "onnxruntime"
QUANTISED, EMBEDS = False, True
JOINS = ()
ADVICE = ""
_OPSET = 17  # ONNX Runtime from 1.12 on


def write(traced: Traced, path: Path) -> None:
    """Write the network to `path`, behind the channels' graph where it has one."""
    import onnx
    import tf2onnx

    channels = onnx.load(traced.channels) if traced.channels else None
    network, _ = tf2onnx.convert.from_graph_def(
        traced.graph,
        name="kerasfaces",
        input_names=[traced.ends[0]],
        output_names=list(traced.ends[1:]),
        tensors_to_rename=dict(
            zip(traced.ends, (INPUT, OUTPUT, EMBEDDING), strict=True)
        ),
        opset=channels.opset_import[0].version if channels else _OPSET,
    )
    onnx.save(_joined(channels, network) if channels else network, path)
    onnx.checker.check_model(str(path))


def _joined(channels: "ModelProto", network: "ModelProto") -> "ModelProto":
    """Return pixels -> channels -> logit; NaN where the channels' `doubt` is."""
    import onnx
    from onnx import helper

    (given,), (image, doubt) = channels.graph.input, channels.graph.output
    network.ir_version = channels.ir_version
    joined = onnx.compose.merge_models(
        channels,
        network,
        io_map=[(image.name, INPUT)],
        prefix1="channels/",
        prefix2="network/",
        name="kerasfaces",
    )
    graph = joined.graph
    first = helper.make_node("Identity", [INPUT], [f"channels/{given.name}"])
    ends = [f"network/{OUTPUT}", f"channels/{doubt.name}"]
    graph.node.insert(0, first)
    graph.node.append(helper.make_node("Add", ends, [OUTPUT]))
    graph.input[0].name = INPUT
    answer = helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, [None, 1])
    del graph.output[:]
    graph.output.append(answer)
    return joined


def embed(path: Path, text: str) -> None:
    """Put a text into the file's metadata."""
    import onnx

    network = onnx.load(path)
    onnx.helper.set_model_props(network, {KEY: text})
    onnx.save(network, path)


def embedded(path: Path) -> str | None:
    """Return the text that `embed` put there."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    text: str | None = session.get_modelmeta().custom_metadata_map.get(KEY)
    return text


def outputs(path: Path) -> Outputs:
    """Return what the file computes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = numerics.n_threads()  # not the whole machine's
    # Threads that wait by spinning take the cores from whoever decodes meanwhile.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )
    there = {each.name for each in session.get_outputs()}
    names = [OUTPUT, EMBEDDING] if EMBEDDING in there else [OUTPUT]

    def compute(images: NDArray[np.float32]) -> Both:
        logits, *embedding = session.run(names, {INPUT: images})
        return np.asarray(logits), np.asarray(embedding[0]) if embedding else None

    return compute
