"""BlazeFace as a TensorFlow.js graph model -> the ONNX file that `detect` runs.

    python -m kerasfaces.faces.convert blazeface.json -o blazeface.onnx

The ONNX graph takes pixels, `(n, 256, 256, 3)` uint8, and returns `logits` `(n, 896)` and
`places` `(n, 896, 16)`, in pixels relative to each anchor. Weights that 16-bit floats hold
exactly are stored so; all arithmetic is in 32 bits. Beside the file stands a note
with its SHA-256 and what it was made from. Each operation is one function of this module; a
graph with another one is refused by name.
"""

import argparse
import base64
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.core.files import atomic_path, sha256, write_json
from kerasfaces.core.imports import optional_import
from kerasfaces.faces import graph_model
from kerasfaces.faces.graph_model import GraphModel, Node

OPSET = 17
INPUT, LOGITS, PLACES = "pixels", "logits", "places"
LICENCE = "Apache-2.0, Copyright The MediaPipe Authors"
SOURCE = "github.com/google-ai-edge/mediapipe, mediapipe/modules/face_detection/"
_TO_NCHW, _TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


def convert(source: Path, target: Path) -> dict[str, Any]:
    """Write an ONNX file and the note beside it; return the note.

    Args:
        source: The graph model's `.json`; its `.bin` stands beside it.
        target: The `.onnx` to write.

    Raises:
        MissingFileError: A file of the model is missing.
        InputError: It is no graph model, or not one of this architecture.
        MissingExtraError: `onnx` is not installed.
    """
    model = graph_model.read(source)
    with atomic_path(target) as temporary:
        temporary.write_bytes(_Writer(model, source).serialised())
    note = {
        "file": target.name,
        "sha256": sha256(target),
        "bytes": target.stat().st_size,
        "input": f"{INPUT}: (n, 256, 256, 3) uint8, sRGB",
        "output": f"{LOGITS}: (n, 896); {PLACES}: (n, 896, 16), px from the anchor",
        "licence": LICENCE,
        "source": f"{SOURCE}face_detection_back.tflite, float16",
        "changes": "converted to ONNX; pixels are scaled and outputs joined in the graph",
        "generated_by": model.generated_by,
        "converted_by": model.converted_by,
        "made_from": {
            file.name: sha256(file) for file in (source, source.with_suffix(".bin"))
        },
    }
    write_json(target.with_suffix(".json"), note)
    return note


class _Writer:
    """Builds the ONNX graph; feature maps are `(n, c, h, w)` inside."""

    def __init__(self, model: GraphModel, source: Path) -> None:
        self._onnx = optional_import("onnx", "export")
        self._model, self._source = model, source
        self._nodes: list[Any] = []
        self._weights: dict[str, Any] = {}
        self._ops: dict[str, Callable[[Node], None]] = {
            "_FusedConv2D": self._convolution,
            "DepthwiseConv2dNative": self._convolution,
            "AddV2": lambda node: self._add("Add", node.inputs, node.name),
            "Relu": lambda node: self._add("Relu", node.inputs, node.name),
            "Identity": lambda node: self._add("Identity", node.inputs, node.name),
            "MaxPool": self._pooling,
            "Pad": self._padding,
            "Reshape": self._reshape,
        }

    def serialised(self) -> bytes:
        helper, types = self._onnx.helper, self._onnx.TensorProto
        first, *others = self._model.nodes
        if first.op != "Placeholder":
            raise self._refusal(first, "the first node is no Placeholder")
        self._pixels(first.name)
        for node in others:
            if node.op not in self._ops:
                raise self._refusal(node, "this operation is not known here")
            try:
                self._ops[node.op](node)
            except (IndexError, KeyError, TypeError, ValueError) as error:
                if isinstance(error, InputError):
                    raise
                raise self._refusal(node, f"{type(error).__name__}: {error}") from error
        self._outputs()
        graph = helper.make_graph(
            self._nodes,
            "blazeface",
            [helper.make_tensor_value_info(INPUT, types.UINT8, ["n", 256, 256, 3])],
            [
                helper.make_tensor_value_info(LOGITS, types.FLOAT, ["n", 896]),
                helper.make_tensor_value_info(PLACES, types.FLOAT, ["n", 896, 16]),
            ],
            list(self._weights.values()),
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        try:
            self._onnx.checker.check_model(model, full_check=True)
        except Exception as error:
            raise InputError(
                f"{self._source} is not BlazeFace of 256 px: its graph does not end in 896 "
                f"places ({' '.join(str(error).split())[:160]})."
            ) from error
        return bytes(model.SerializeToString())

    def _pixels(self, name: str) -> None:
        """Bring pixels 0..255 to -1..1, as the network was trained."""
        to = self._onnx.TensorProto.FLOAT
        self._add("Cast", [INPUT], "pixels/float", to=to)
        scale = self._weight("pixels/scale", np.float32(127.5))
        one = self._weight("pixels/one", np.float32(1.0))
        self._add("Div", ["pixels/float", scale], "pixels/scaled")
        self._add("Sub", ["pixels/scaled", one], "pixels/centred")
        self._add("Transpose", ["pixels/centred"], name, perm=_TO_NCHW)

    def _outputs(self) -> None:
        """Join the two feature maps' answers: 16 x 16 cells of 2, then 8 x 8 of 6."""
        names = [
            [f"Identity{each}" for each in pair] for pair in (("", "_1"), ("_2", "_3"))
        ]
        self._add("Concat", names[0], "logits/all", axis=1)
        axis = self._weight("logits/axis", np.array([2], np.int64))
        self._add("Squeeze", ["logits/all", axis], LOGITS)
        self._add("Concat", names[1], PLACES, axis=1)

    def _convolution(self, node: Node) -> None:
        """One convolution, with its bias and its activation where they are fused."""
        source, kernel, *bias = node.inputs
        weights = self._constant(node, kernel)
        if node.op == "_FusedConv2D":
            groups, weights = 1, weights.transpose(3, 2, 0, 1)
        else:  # (h, w, c, 1): one filter per channel
            groups, weights = weights.shape[2], weights.transpose(2, 3, 0, 1)
        fused = [base64.b64decode(op).decode() for op in _list(node, "fused_ops", "s")]
        if fused not in ([], ["BiasAdd"], ["BiasAdd", "Relu"]):
            raise self._refusal(node, f"it has {fused} fused to it")
        relu = "Relu" in fused
        inputs = [source, self._weight(kernel, weights)]
        inputs += [self._weight(name, self._constant(node, name)) for name in bias]
        result = f"{node.name}/linear" if relu else node.name
        strides = [int(step) for step in _list(node, "strides", "i")[1:3]]
        options = {"strides": strides, "auto_pad": self._padding_of(node)}
        self._add("Conv", inputs, result, group=groups, **options)
        if relu:
            self._add("Relu", [result], node.name)

    def _pooling(self, node: Node) -> None:
        shape, strides = (
            [int(side) for side in _list(node, key, "i")[1:3]]
            for key in ("ksize", "strides")
        )
        options = {"kernel_shape": shape, "strides": strides}
        self._add(
            "MaxPool",
            node.inputs,
            node.name,
            auto_pad=self._padding_of(node),
            **options,
        )

    def _padding(self, node: Node) -> None:
        """Zeros, here: channels that a wider block has more than the one before."""
        source, name = node.inputs
        pads = self._constant(node, name)[_TO_NCHW].T.astype(np.int64)
        self._add("Pad", [source, self._weight(name, pads.ravel())], node.name)

    def _reshape(self, node: Node) -> None:
        source, name = node.inputs
        shape = self._constant(node, name).astype(np.int64)
        shape[0] = -1  # any number of pictures
        self._add("Transpose", [source], f"{node.name}/rows", perm=_TO_NHWC)
        inputs = [f"{node.name}/rows", self._weight(name, shape)]
        self._add("Reshape", inputs, node.name)

    def _constant(self, node: Node, name: str) -> NDArray[Any]:
        if name not in self._model.constants:
            raise self._refusal(node, f"its input {name!r} is no constant")
        return self._model.constants[name]

    def _weight(self, name: str, array: NDArray[Any] | np.float32) -> str:
        """Store a constant, in 16 bits where these hold it exactly; return its name."""
        array = np.ascontiguousarray(array)
        small = array.astype(np.float16) if array.dtype == np.float32 else array
        exact = np.array_equal(small.astype(array.dtype), array)
        if array.size > 1 and small.dtype != array.dtype and exact:
            to = self._onnx.TensorProto.FLOAT
            self._weights[name] = self._onnx.numpy_helper.from_array(
                small, f"{name}/16"
            )
            self._add("Cast", [f"{name}/16"], name, to=to)
        else:
            self._weights[name] = self._onnx.numpy_helper.from_array(array, name)
        return name

    def _add(self, op: str, inputs: Sequence[str], output: str, **options: Any) -> None:
        node = self._onnx.helper.make_node(op, list(inputs), [output], **options)
        self._nodes.append(node)

    def _padding_of(self, node: Node) -> str:
        padding = base64.b64decode(node.attributes["padding"]["s"]).decode()
        if padding not in ("SAME", "VALID"):
            raise self._refusal(node, f"its padding is {padding!r}")
        return "SAME_UPPER" if padding == "SAME" else "VALID"

    def _refusal(self, node: Node, why: str) -> InputError:
        return InputError(
            f"{self._source} is not the BlazeFace that is converted here: node "
            f"{node.name!r} ({node.op}): {why}."
        )


def _list(node: Node, key: str, kind: str) -> list[Any]:
    values: list[Any] = node.attributes.get(key, {}).get("list", {}).get(kind, [])
    return values


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert one file; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m kerasfaces.faces.convert",
        description="Convert BlazeFace from TensorFlow.js to ONNX.",
    )
    parser.add_argument("model", type=Path, help="the graph model's .json")
    parser.add_argument("-o", "--out", type=Path, required=True, help=".onnx to write")
    options = parser.parse_args(arguments)
    try:
        note = convert(options.model, options.out)
    except KerasfacesError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    words = f"{options.out}: {note['bytes']} bytes, SHA-256 {note['sha256']}\n"
    sys.stdout.write(words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
